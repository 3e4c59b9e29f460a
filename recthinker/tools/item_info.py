"""item_info(labels): how popular and how well rated the candidates are, and what they are."""

from typing import ClassVar

import numpy as np

from recthinker.settings import ToolSettings
from recthinker.tools.base import (
    LEVELS,
    Scene,
    Segment,
    Takes,
    ToolCall,
    ToolResult,
    Words,
    asked,
    label_at,
    levels,
)

CATEGORIES_SHOWN = 1


class ItemInfo:
    """Two levels a candidate, popularity and mean rating, and its first category."""

    name: ClassVar[str] = "item_info"
    description: ClassVar[str] = "How popular and how well rated the candidates are, and what kind they are."
    takes: ClassVar[Takes] = "labels"
    evidence: ClassVar[tuple[str, ...]] = ("popular", "well rated")
    reads: ClassVar[tuple[str, ...]] = ("item_metadata",)

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        """Labels with both levels and a category, most popular first."""
        labels, items, candidates = asked(call, scene), scene.items, scene.candidates
        events, rating = items.popularity[candidates].astype(float), items.mean_rating[candidates]
        popular, rated = levels(events).tolist(), levels(np.where(np.isnan(rating), 0.0, rating)).tolist()
        ranked = labels[(-events[labels]).argsort(kind="stable")][: settings.max_results].tolist()
        codes = candidates.tolist()
        segments: list[Segment] = []
        for label in ranked:
            segments += (label_at(label), LEVELS[popular[label]], LEVELS[rated[label]])
            segments += map(Words, items.categories(codes[label], CATEGORIES_SHOWN))
        evidence = {label: (popular[label], rated[label]) for label in ranked}
        return ToolResult(tuple(segments), len(labels), evidence)
