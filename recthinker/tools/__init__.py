"""The agent's tools: lookups of the served user's row and of the catalogue. A new tool: a file, a line of toolbox."""

from recthinker.tools.base import Label, Level, Scene, Segment, Tool, ToolCall, ToolResult, Words
from recthinker.tools.toolbox import ALL_TOOLS, Toolbox

__all__ = [
    "ALL_TOOLS",
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
