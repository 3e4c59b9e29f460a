"""item_info(labels): how popular and how well rated the candidates are, and what they are."""

from typing import ClassVar

from recthinker.settings import ToolSettings
from recthinker.tools.base import Scene, Takes, ToolCall, ToolResult, asked, by_strength, levels


class ItemInfo:
    """Two levels a candidate, popularity and mean rating, and its first category."""

    name: ClassVar[str] = "item_info"
    description: ClassVar[str] = "How popular and how well rated the candidates are, and what kind they are."
    takes: ClassVar[Takes] = "labels"
    evidence: ClassVar[tuple[str, ...]] = ("popular", "well rated")
    reads: ClassVar[tuple[str, ...]] = ("item_metadata",)

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        """Labels with both levels and a category, most popular first."""
        items, candidates = scene.items, scene.candidates
        events, kinds = items.popularity[candidates], items.first_categories(candidates)
        columns = levels(events), levels(items.mean_rating[candidates])
        return by_strength(asked(call, scene), columns, events, settings.max_results, kinds, with_none=True)
