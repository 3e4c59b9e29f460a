"""The enabled tools by name, and calling them: arguments are checked, faults become results that the agent can read."""

import logging
from collections.abc import Mapping
from functools import cache

from recthinker.errors import ToolError
from recthinker.settings import ToolSettings
from recthinker.tools.base import MAX_LEVEL, Label, Level, Scene, Tool, ToolCall, ToolResult, Words
from recthinker.tools.enabled import enabled_tools

logger = logging.getLogger(__name__)

FAILED = "the tool failed"
"""What the agent reads of a tool that broke."""


class Toolbox:
    """The tools that settings enable, in their order.

    Raises:
        ConfigError: settings name what is no tool.
    """

    def __init__(self, settings: ToolSettings) -> None:
        self.settings = settings
        self.tools: Mapping[str, Tool] = enabled_tools(settings.enabled)

    def call(self, scene: Scene, call: ToolCall) -> ToolResult:
        """The result of a call; `is_valid` is false where it cannot be carried out as written, or the tool broke."""
        try:
            tool = self._checked(call)
            result = tool(scene, call, self.settings)
            self._require_contract(tool, result, len(scene.order))
            return result
        except ToolError as error:
            return ToolResult((Words(str(error)),), rows=0, is_valid=False)
        except Exception as error:  # noqa: BLE001 - the agent goes on with what it knows, and the fault is counted
            logger.warning("tool broke tool=%s key=%s error=%r", call.name, scene.request.key, error)
            return ToolResult((Words(FAILED),), rows=0, is_valid=False, fault=repr(error))

    def _checked(self, call: ToolCall) -> Tool:
        tool = self.tools.get(call.name)
        if tool is None:
            raise ToolError(f"no tool {call.name}; tools: {', '.join(self.tools)}")
        if call.labels and tool.takes != "labels":
            raise ToolError(f"{call.name} takes no labels")
        if call.limit is not None and (tool.takes != "limit" or call.limit < 1):
            raise ToolError(f"{call.name} takes no such limit")
        return tool

    def _require_contract(self, tool: Tool, result: ToolResult, candidates: int) -> None:
        """Make sure that a result speaks of candidates that there are, and of not too many, in levels that there are.

        Raises:
            ValueError: it does not.
        """
        labels = [segment.place for segment in result.segments if type(segment) is Label]
        levels = [segment.value for segment in result.segments if type(segment) is Level]
        for found in result.evidence.values():
            if len(found) != len(tool.evidence):
                raise ValueError(f"{tool.name} gives {len(found)} levels instead of {len(tool.evidence)}")
            levels += found
        if max(len(labels), len(result.evidence)) > self.settings.max_results:
            raise ValueError(f"{tool.name} speaks of {len(labels)} labels, more than {self.settings.max_results}")
        if not _below(candidates).issuperset([*labels, *result.evidence]):
            raise ValueError(f"{tool.name} speaks of a label that none of the {candidates} candidates has")
        if not _below(MAX_LEVEL + 1).issuperset(levels):
            raise ValueError(f"{tool.name} gives a level that is not from 0 to {MAX_LEVEL}")


@cache
def _below(end: int) -> frozenset[int]:
    """All from 0 to before `end`."""
    return frozenset(range(end))
