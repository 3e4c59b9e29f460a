"""The agent's tools: lookups of the served user's row and of the catalogue. docs/tools.md."""

from recthinker.tools.base import MAX_LEVEL, Label, Level, Scene, Segment, Tool, ToolCall, ToolResult, Words
from recthinker.tools.enabled import BUILT_IN
from recthinker.tools.toolbox import Toolbox

__all__ = [
    "BUILT_IN",
    "MAX_LEVEL",
    "Label",
    "Level",
    "Scene",
    "Segment",
    "Tool",
    "ToolCall",
    "ToolResult",
    "Toolbox",
    "Words",
]
