"""What all episodes of a run share: chat format, tools, limits."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from recthinker.agent.chat_format import ChatFormat
from recthinker.agent.formats import load_format
from recthinker.settings import AgentSettings, ToolSettings
from recthinker.tools import Toolbox


@dataclass(frozen=True)
class Agent:
    """What all episodes of a run share."""

    chat: ChatFormat
    toolbox: Toolbox
    settings: AgentSettings

    @classmethod
    def build(cls, chat: ChatFormat, agent: AgentSettings, tools: ToolSettings) -> "Agent":
        """An agent with the tools that settings enable.

        Raises:
            ConfigError: settings name what is no tool, or one that the model does not know.
        """
        built = cls(chat, Toolbox(tools), agent)
        # Rendered at once: a model that does not know a tool is told of before the first user, not for each one.
        _ = built.system_ids
        return built

    @classmethod
    def load(cls, model_dir: Path, agent: AgentSettings, tools: ToolSettings) -> "Agent":
        """The agent of a model folder, in the chat format that settings name.

        Raises:
            ConfigError: the model's tokenizer does not fit that format.
        """
        return cls.build(load_format(model_dir, agent.chat_format), agent, tools)

    @cached_property
    def system_ids(self) -> list[int]:
        """The prompt's shared part."""
        return self.chat.system(self.toolbox.tools)

    @cached_property
    def prompt_version(self) -> str:
        """Hash of everything that shapes a prompt besides the data: format, shared part, tools, limits."""
        text = f"{self.chat.name}|{self.system_ids}|{self.toolbox.settings!r}|{self.settings!r}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]
