"""What the agent's tools are worth: the same model with one switched off, with none, and with a stranger's rows.

A tool that is switched off stays in the prompt and answers as one that broke: the agent reads that it failed, and goes
on with what it knows. That is what would happen on a night on which the tool were gone. Striking it from the prompt
would show the model one that it was never trained on. A loss so measured is that of this trained model, which may also
be put off by the message; a model trained without the tool might lose less.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from recthinker.agent import Agent
from recthinker.settings import ToolSettings
from recthinker.tools import Scene, Toolbox, ToolCall, ToolResult, Words
from recthinker.tools.toolbox import FAILED

NO_TOOLS = "no tools"
STRANGERS_ROWS = "another user's rows"


class ToolboxWithout(Toolbox):
    """A toolbox in which one tool is switched off."""

    def __init__(self, settings: ToolSettings, off: str) -> None:
        super().__init__(settings)
        self.off = off

    def call(self, scene: Scene, call: ToolCall) -> ToolResult:
        """As `Toolbox.call`, but for the tool that is off: it failed."""
        if call.name == self.off:
            return ToolResult((Words(FAILED),), rows=0, is_valid=False, fault="switched off")
        return super().call(scene, call)


@dataclass(frozen=True, slots=True)
class Ablation:
    """One way of taking evidence away."""

    name: str
    agent: Agent
    rows: Literal["own", "strangers"] = "own"


def without_tools(agent: Agent) -> Ablation:
    """No call is carried out: at the first the agent is made to answer."""
    return Ablation(NO_TOOLS, replace(agent, settings=agent.settings.model_copy(update={"max_calls": 0})))


def ablations(agent: Agent) -> Iterator[Ablation]:
    """Every tool switched off in turn, then all rows those of another user."""
    for name in agent.toolbox.tools:
        yield Ablation(f"without {name}", replace(agent, toolbox=ToolboxWithout(agent.toolbox.settings, name)))
    yield Ablation(STRANGERS_ROWS, agent, "strangers")
