"""What the agent's tools are worth: the same model with one switched off, with none, with fewer calls allowed, and with
a stranger's rows.

A tool that is switched off stays in the prompt and answers as one that broke: the agent reads that it failed, and goes
on with what it knows. That is what would happen on a night on which the tool were gone. Striking it from the prompt
would show the model one that it was never trained on. A loss so measured is that of this trained model, which may also
be put off by the message; a model trained without the tool might lose less.

Where calls are limited, the agent is made to answer in place of its next call. What the same users gain from one call
more is what calls buy; users with many calls beside users with few would be a comparison of users.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from recthinker.agent import Agent
from recthinker.evaluation.comparison import paired
from recthinker.evaluation.metrics import ndcg
from recthinker.evaluation.significance import bootstrap_mean
from recthinker.inference.agent_run import AgentRun
from recthinker.settings import EvaluationSettings, ToolSettings
from recthinker.tools import Scene, Toolbox, ToolCall, ToolResult, Words
from recthinker.tools.toolbox import FAILED

NO_TOOLS = "no tools"
STRANGERS_ROWS = "another user's rows"
CALL_LIMITS = {0: NO_TOOLS, 1: "at most 1 call", 2: "at most 2 calls", 3: "at most 3 calls"}
"""Ablations that limit the calls, by the limit."""
WHOLE = "the whole agent"


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
    return _limited(agent, 0)


def ablations(agent: Agent) -> Iterator[Ablation]:
    """Every tool switched off in turn, then all rows those of another user, then fewer calls than settings allow."""
    for name in agent.toolbox.tools:
        yield Ablation(f"without {name}", replace(agent, toolbox=ToolboxWithout(agent.toolbox.settings, name)))
    yield Ablation(STRANGERS_ROWS, agent, "strangers")
    for limit in CALL_LIMITS:
        if 0 < limit < agent.settings.max_calls:
            yield _limited(agent, limit)


def _limited(agent: Agent, limit: int) -> Ablation:
    settings = agent.settings.model_copy(update={"max_calls": limit})
    return Ablation(CALL_LIMITS[limit], replace(agent, settings=settings))


def ablation_figures(
    whole: AgentRun, ablated: Mapping[str, AgentRun], settings: EvaluationSettings
) -> list[dict[str, Any]]:
    """NDCG@k of each, and what the whole agent is ahead of it by; all in one order of the candidates."""
    gains = {name: ndcg(run.ranks, settings.k) for name, run in {WHOLE: whole, **ablated}.items()}
    leads = {pair["against"]: pair for pair in paired(gains, settings, subject=WHOLE)}
    return [
        {"name": name, "ndcg": float(gains[name].mean()), "calls": float(run.calls.mean()), "lead": leads[name]}
        for name, run in ablated.items()
    ]


def call_curve(
    whole: AgentRun, ablated: Mapping[str, AgentRun], settings: EvaluationSettings, *, max_calls: int
) -> list[dict[str, Any]]:
    """NDCG@k with its interval, and the calls made, under each limit that was run, up to the whole agent at
    `max_calls`; empty where no limit above 0 was run.
    """
    runs = {limit: ablated[name] for limit, name in CALL_LIMITS.items() if name in ablated and limit < max_calls}
    if not any(runs):
        return []
    return [_point(limit, run, settings) for limit, run in {**runs, max_calls: whole}.items()]


def _point(limit: int, run: AgentRun, settings: EvaluationSettings) -> dict[str, Any]:
    found = bootstrap_mean(ndcg(run.ranks, settings.k), draws=settings.bootstrap_draws, seed=settings.seed)
    calls = float(run.calls.mean())
    return {"max_calls": limit, "calls": calls, "ndcg": found.mean, "low": found.low, "high": found.high}
