"""The enabled tools by name, and calling them: arguments are checked, faults become results that the agent can read."""

import logging
from collections.abc import Mapping

from recthinker.errors import ToolError
from recthinker.settings import ToolSettings
from recthinker.tools.base import Scene, Tool, ToolCall, ToolResult, Words
from recthinker.tools.co_interactions import CoInteractions
from recthinker.tools.item_info import ItemInfo
from recthinker.tools.item_relations import ItemRelations
from recthinker.tools.similar_users import SimilarUsers
from recthinker.tools.user_history import UserHistory
from recthinker.tools.user_profile import UserProfile

logger = logging.getLogger(__name__)

ALL_TOOLS: tuple[Tool, ...] = (
    UserProfile(),
    UserHistory(),
    ItemInfo(),
    ItemRelations(),
    CoInteractions(),
    SimilarUsers(),
)


FAILED = "the tool failed"
"""What the agent reads of a tool that broke."""


class Toolbox:
    """The tools that settings enable, in the order of `ALL_TOOLS`."""

    def __init__(self, settings: ToolSettings) -> None:
        self.settings = settings
        self.tools: Mapping[str, Tool] = {tool.name: tool for tool in ALL_TOOLS if tool.name in settings.enabled}

    def call(self, scene: Scene, call: ToolCall) -> ToolResult:
        """The result of a call; `is_valid` is false where it cannot be carried out as written, or the tool broke."""
        try:
            tool = self._checked(call)
            return tool(scene, call, self.settings)
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
