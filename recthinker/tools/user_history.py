"""user_history(limit): the user's newest items."""

from functools import lru_cache
from typing import ClassVar

from recthinker.lookup.text import MAX_CHARACTERS
from recthinker.settings import ToolSettings
from recthinker.tools.base import Scene, Segment, Takes, ToolCall, ToolResult, Words, kind


class UserHistory:
    """Titles with their first category, newest first."""

    name: ClassVar[str] = "user_history"
    description: ClassVar[str] = "The user's newest items, newest first."
    takes: ClassVar[Takes] = "limit"
    evidence: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ("user_history", "item_metadata")

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        """At most `limit` items."""
        limit = min(call.limit or settings.max_history, settings.max_history)
        history = scene.request.history
        shown = history[history >= 0][:limit]
        segments: list[Segment] = []
        for title, name in zip(scene.items.titles(shown), scene.items.first_categories(shown), strict=True):
            segments.append(Words(shorten(title, settings.max_title_words)))
            if name:
                segments.append(kind(name))
        return ToolResult(tuple(segments) or (Words("nothing"),), len(shown))


@lru_cache(maxsize=100_000)
def shorten(title: str, words: int) -> str:
    """The first `words` words of a title, at most 40 characters; of a long one only the beginning is looked at."""
    return " ".join(title[:MAX_CHARACTERS].split()[:words])[:40]
