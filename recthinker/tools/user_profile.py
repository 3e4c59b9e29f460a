"""user_profile(): the user in one line."""

import math
from typing import ClassVar

from recthinker.settings import ToolSettings
from recthinker.tools.base import MAX_LEVEL, Level, Scene, Segment, Takes, ToolCall, ToolResult, Words


class UserProfile:
    """Favourite categories, mean rating and attributes."""

    name: ClassVar[str] = "user_profile"
    description: ClassVar[str] = "Favourite categories, mean rating and attributes of the user."
    takes: ClassVar[Takes] = "nothing"
    evidence: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ("user_profile",)

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        """One line of words."""
        request = scene.request
        segments: list[Segment] = [Words(name) for name in request.top_categories]
        if not math.isnan(request.mean_rating):
            segments += [Words("rates"), Level(min(max(round(request.mean_rating), 0), MAX_LEVEL))]
        segments += [Words(value) for _, value in sorted(request.attributes.items())]
        return ToolResult(tuple(segments) or (Words("nothing"),), 1)
