"""item_info(labels): how popular and how well rated the candidates are, and what they are."""

from typing import ClassVar

import numpy as np

from recthinker.settings import ToolSettings
from recthinker.tools.base import (
    MAX_LEVEL,
    Label,
    Level,
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
        labels = asked(call, scene)
        events = scene.items.popularity[scene.candidates].astype(float)
        popular = levels(events)
        rated = levels(np.nan_to_num(scene.items.mean_rating[scene.candidates]))
        ranked = labels[np.argsort(-events[labels], kind="stable")][: settings.max_results]
        segments: list[Segment] = []
        for label in ranked:
            segments += [
                Label(int(label)),
                Level(int(popular[label])),
                Level(min(int(rated[label]), MAX_LEVEL)),
            ]
            segments += [
                Words(name) for name in scene.items.categories(int(scene.candidates[label]))[:CATEGORIES_SHOWN]
            ]
        evidence = {int(label): (int(popular[label]), int(rated[label])) for label in ranked}
        return ToolResult(tuple(segments), len(labels), evidence)
