"""similar_users(limit): how many of the most similar users have each candidate; only counts, never people."""

from typing import ClassVar

from recthinker.settings import ToolSettings
from recthinker.tools.base import Scene, Takes, ToolCall, ToolResult, asked, by_strength, levels


class SimilarUsers:
    """One level a candidate. Counts below the privacy threshold are already 0 in the snapshot."""

    name: ClassVar[str] = "similar_users"
    description: ClassVar[str] = "How many of the most similar users have each candidate."
    takes: ClassVar[Takes] = "limit"
    evidence: ClassVar[tuple[str, ...]] = ("chosen by similar users",)
    reads: ClassVar[tuple[str, ...]] = ("similar_users", "user_history")

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        """Labels with their level, most users first, at most `limit` of them."""
        counts = scene.request.similar_counts[scene.order].astype(float)
        most = min(call.limit or settings.max_results, settings.max_results)
        return by_strength(asked(call, scene), (levels(counts),), counts, most)
