"""What the agent's tools are worth: the same model with one switched off, with none, with fewer calls allowed, and with
tools that look at a stranger.

A tool that is switched off stays in the prompt and answers as one that broke: the agent reads that it failed, and goes
on with what it knows. That is what would happen on a night on which the tool were gone. Striking it from the prompt
would show the model one that it was never trained on. A loss so measured is that of this trained model, which may also
be put off by the message; a model trained without the tool might lose less.

Where calls are limited, the agent is made to answer in place of its next call. What the same users gain from one call
more is what calls buy; users with many calls beside users with few would be a comparison of users.

A stranger's rows still say of one's own candidates what is popular: they tell how much of the evidence is of this user.
A stranger's results, about the stranger's candidates, say nothing of one's own: an agent that ranks by what it reads
falls to where it is without tools. The prompt stays one's own in both.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from recthinker.agent import Agent, candidate_order
from recthinker.evaluation.comparison import paired
from recthinker.evaluation.metrics import ndcg
from recthinker.evaluation.significance import bootstrap_mean
from recthinker.inference.agent_run import AgentRun
from recthinker.inference.trial import Trial
from recthinker.lookup import RequestRow
from recthinker.settings import EvaluationSettings, ToolSettings
from recthinker.tools import Scene, Toolbox, ToolCall, ToolResult, Words
from recthinker.tools.toolbox import FAILED

NO_TOOLS = "no tools"
STRANGERS_ROWS = "another user's rows"
STRANGERS_RESULTS = "another user's results"
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


class ToolboxOfAnother(Toolbox):
    """A toolbox in which every call is carried out for another request than that of the episode.

    Args:
        others: the request that is looked at, by the key of the episode's own.
        seed: of the order in which candidates are shown.
    """

    def __init__(self, settings: ToolSettings, others: Mapping[str, RequestRow], seed: int) -> None:
        super().__init__(settings)
        self.others = others
        self.seed = seed

    def call(self, scene: Scene, call: ToolCall) -> ToolResult:
        """What the other request's own episode reads of this call: labels stand for the candidates that it shows."""
        other = self.others[scene.request.key]
        order = candidate_order(other.key, len(other.candidates), self.seed)
        return super().call(replace(scene, request=other, order=order), call)


def without_tools(agent: Agent) -> Agent:
    """No call is carried out: at the first the agent is made to answer."""
    return _limited(agent, 0)


def ablations(agent: Agent, trial: Trial) -> dict[str, Agent]:
    """The agent by what is taken away: every tool in turn, then the right user, then calls that settings allow."""
    switched_off = {f"without {name}": ToolboxWithout(agent.toolbox.settings, name) for name in agent.toolbox.tools}
    toolboxes = switched_off | _of_strangers(agent, trial)
    return {
        **{name: replace(agent, toolbox=toolbox) for name, toolbox in toolboxes.items()},
        **{name: _limited(agent, limit) for limit, name in CALL_LIMITS.items() if 0 < limit < agent.settings.max_calls},
    }


def _of_strangers(agent: Agent, trial: Trial) -> dict[str, Toolbox]:
    """Tools that look at a stranger, the same one in both; none where nobody else is asked for.

    A trial's lists are of one length, so that a stranger has every label that one's own candidates have.
    """
    if len(trial.rows) < 2:
        return {}
    own = {row.user_id: row for row in trial.rows}
    rows = {row.key: row for row in trial.strangers}
    others = {STRANGERS_ROWS: rows, STRANGERS_RESULTS: {key: own[row.user_id] for key, row in rows.items()}}
    settings, seed = agent.toolbox.settings, agent.settings.seed
    return {name: ToolboxOfAnother(settings, requests, seed) for name, requests in others.items()}


def _limited(agent: Agent, limit: int) -> Agent:
    return replace(agent, settings=agent.settings.model_copy(update={"max_calls": limit}))


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
    runs = {limit: run for limit, run in limited_runs(ablated).items() if limit < max_calls}
    if not any(runs):
        return []
    return [_point(limit, run, settings) for limit, run in {**runs, max_calls: whole}.items()]


def limited_runs(ablated: Mapping[str, AgentRun]) -> dict[int, AgentRun]:
    """Of these the runs with fewer calls, by the limit."""
    return {limit: ablated[name] for limit, name in CALL_LIMITS.items() if name in ablated}


def _point(limit: int, run: AgentRun, settings: EvaluationSettings) -> dict[str, Any]:
    found = bootstrap_mean(ndcg(run.ranks, settings.k), draws=settings.bootstrap_draws, seed=settings.seed)
    calls = float(run.calls.mean())
    return {"max_calls": limit, "calls": calls, "ndcg": found.mean, "low": found.low, "high": found.high}
