"""user_profile(): the user in one line."""

from typing import ClassVar

import numpy as np

from recthinker.settings import ToolSettings
from recthinker.tools.base import Level, Scene, Segment, Takes, ToolCall, ToolResult, Words


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
        if not np.isnan(request.mean_rating):
            segments += [Words("rates"), Level(int(np.clip(round(request.mean_rating), 0, 9)))]
        segments += [Words(value) for _, value in sorted(request.attributes.items())]
        return ToolResult(tuple(segments) or (Words("nothing"),), 1)
