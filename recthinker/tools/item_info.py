"""item_info(labels): how popular and how well rated the candidates are, and what they are."""

from typing import ClassVar

import numpy as np

from recthinker.settings import ToolSettings
from recthinker.tools.base import (
    LEVELS,
    Label,
    Scene,
    Segment,
    Takes,
    ToolCall,
    ToolResult,
    Words,
    asked,
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
        labels, codes = asked(call, scene), scene.candidates
        events = scene.items.popularity[codes].astype(float)
        popular = levels(events)
        rated = levels(np.nan_to_num(scene.items.mean_rating[codes]))
        ranked = labels[np.argsort(-events[labels], kind="stable")][: settings.max_results]
        found = np.stack([ranked, popular[ranked], rated[ranked], codes[ranked]], axis=1).tolist()
        segments: list[Segment] = []
        for label, popularity, rating, code in found:
            segments += [Label(label), LEVELS[popularity], LEVELS[rating]]
            segments += [Words(name) for name in scene.items.categories(code, CATEGORIES_SHOWN)]
        evidence = {label: (popularity, rating) for label, popularity, rating, _ in found}
        return ToolResult(tuple(segments), len(labels), evidence)
