"""item_info(labels): how popular and how well rated the candidates are, and what they are."""

from typing import ClassVar

from recthinker.settings import ToolSettings
from recthinker.tools.base import (
    LEVELS,
    Scene,
    Segment,
    Takes,
    ToolCall,
    ToolResult,
    asked,
    kind,
    label_at,
    levels,
)


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
        events, kinds = items.popularity[candidates], items.first_categories(candidates)
        popular, rated = levels(events).tolist(), levels(items.mean_rating[candidates]).tolist()
        ranked = sorted(labels.tolist(), key=(-events).tolist().__getitem__)[: settings.max_results]
        segments: list[Segment] = []
        for label in ranked:
            segments += (label_at(label), LEVELS[popular[label]], LEVELS[rated[label]])
            if kinds[label]:
                segments.append(kind(kinds[label]))
        evidence = {label: (popular[label], rated[label]) for label in ranked}
        return ToolResult(tuple(segments), len(labels), evidence)
