"""The offline evaluation: the agent beside simple systems on the same candidates of the same users."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recthinker.agent import Agent, Episode
from recthinker.evaluation import Protocol, Segment, UserFigures, compare, compare_segments, probes, segments
from recthinker.evaluation.adaptivity import adaptivity, further_calls
from recthinker.evaluation.baselines import run_baselines
from recthinker.evaluation.comparison import user_ndcg
from recthinker.evaluation.metrics import chance, ndcg, target_ranks
from recthinker.evaluation.probes import Finding
from recthinker.evaluation.shown_order import shuffle_spread
from recthinker.inference.ablations import (
    NO_TOOLS,
    STRANGERS_ROWS,
    ablation_figures,
    ablations,
    call_curve,
    limited_runs,
    without_tools,
)
from recthinker.inference.agent_run import AgentRun, run_agent
from recthinker.inference.engine import Engine
from recthinker.inference.engines import open_engine
from recthinker.inference.progress import BatchProgress
from recthinker.inference.trial import Trial, open_trial
from recthinker.settings import EvaluationSettings, Settings

COMMAND = "recthinker evaluate"
SUBJECT = "agent"

Ranks = Mapping[str, np.ndarray]
"""The target's rank by system, (S, U)."""


class Evaluated(NamedTuple):
    """An evaluation: its figures, as JSON, and what the gate needs of each user."""

    figures: dict[str, Any]
    users: UserFigures


def evaluate_model(
    model_dir: Path,
    settings: Settings,
    *,
    ds: str,
    folder: Path,
    protocol: Protocol | None = None,
    with_ablations: bool = False,
    on_progress: Callable[[BatchProgress], None] = lambda progress: None,
) -> Evaluated:
    """Measure a model folder: in every order of the candidates, once without tools, and on request with less to read.

    Args:
        ds: date that the protocol's cut was built for.
        folder: where the lookup snapshots of the evaluation may be written.
        protocol: None: that of the settings.
        with_ablations: whether to measure what each tool and each call is worth; one more run over all users for each.

    Raises:
        TableContractError: the cut was not built for D, or leaves no user to ask for.
    """
    protocol = protocol or Protocol.parse(settings.evaluation.protocol)
    trial = open_trial(settings, protocol, ds=ds, folder=folder)
    agent = Agent.load(model_dir, settings.agent, settings.tools)
    engine = open_engine(model_dir, agent, settings)
    return evaluate_agent(
        engine, agent, trial, settings, protocol, with_ablations=with_ablations, on_progress=on_progress
    )


def evaluate_agent(
    engine: Engine,
    agent: Agent,
    trial: Trial,
    settings: Settings,
    protocol: Protocol,
    *,
    with_ablations: bool,
    on_progress: Callable[[BatchProgress], None] = lambda progress: None,
) -> Evaluated:
    """Measure an agent on a trial; arguments as `evaluate_model`."""
    more = {NO_TOOLS: without_tools(agent)} | (ablations(agent, trial) if with_ablations else {})
    progress = BatchProgress(total=(settings.evaluation.shuffles + len(more)) * len(trial.rows))

    def ended(episode: Episode) -> None:
        progress.count(episode)
        on_progress(progress)

    def run(one: Agent) -> AgentRun:
        in_flight, items = settings.inference.max_in_flight, trial.snapshot.items
        return run_agent(engine, one, items, trial.rows, trial.target, max_in_flight=in_flight, on_episode=ended)

    orders = [run(one) for one in _orders(agent, settings.evaluation.shuffles)]
    ablated = {name: run(one) for name, one in more.items()}
    return _evaluated(trial, orders, ablated, settings, protocol)


def _orders(agent: Agent, count: int) -> list[Agent]:
    """The agent with `count` seeds of the candidate order; the first is the one that serves."""
    seed = agent.settings.seed
    return [
        Agent(agent.chat, agent.toolbox, agent.settings.model_copy(update={"seed": seed + n})) for n in range(count)
    ]


def _evaluated(
    trial: Trial, orders: Sequence[AgentRun], ablated: Mapping[str, AgentRun], settings: Settings, protocol: Protocol
) -> Evaluated:
    evaluation = settings.evaluation
    panel = run_baselines(
        trial.train, trial.known, trial.candidates, trial.evidence, evaluation, settings.candidates.als
    )
    ranks: dict[str, np.ndarray] = {SUBJECT: np.stack([run.ranks for run in orders])}
    ranks |= {name: target_ranks(scores, trial.target)[None, :] for name, scores in panel.scores.items()}
    lengths = np.array([row.event_count for row in trial.rows])
    parts = segments(
        lengths,
        trial.event_counts[trial.target_codes],
        share=evaluation.segment_share,
    )
    users = _user_figures(trial, orders, ablated[NO_TOOLS], ranks, parts, evaluation)
    stopped = {limit: run.ranks for limit, run in limited_runs(ablated).items() if limit}
    figures = {
        "protocol": protocol.rule(evaluation.negatives),
        "protocol_name": str(protocol),
        **compare(ranks, evaluation, subject=SUBJECT, width=trial.candidates.shape[1]),
        "left_out": sum(trial.left_out.values()),
        "left_out_by": dict(trial.left_out),
        "not_run": dict(panel.left_out),
        "segments": compare_segments(ranks, parts, evaluation, subject=SUBJECT),
        "shuffles": shuffle_spread(ranks[SUBJECT], users.order_correlation, evaluation),
        "ablations": ablation_figures(orders[0], ablated, evaluation),
        "call_curve": call_curve(orders[0], ablated, evaluation, max_calls=settings.agent.max_calls),
        "adaptivity": adaptivity(
            np.stack([run.calls for run in orders]), ranks[SUBJECT], ablated[NO_TOOLS].ranks, lengths, evaluation
        ),
        "further_calls": further_calls(orders[0].calls, orders[0].ranks, stopped, evaluation),
        "probes": [_probe(found) for found in _probes(trial, panel.scores["popularity"], users, ablated, settings)],
        "cost": {"calls": float(users.calls.mean()), "seconds_per_user": users.seconds_per_user},
        "outcomes": _summed([run.outcomes for run in orders]),
        "requests": users.requests,
        "command": f"{COMMAND} --protocol {protocol}{' --ablations' if len(ablated) > 1 else ''}",
    }
    return Evaluated(figures, users)


def _user_figures(
    trial: Trial,
    orders: Sequence[AgentRun],
    blind: AgentRun,
    ranks: Ranks,
    parts: tuple[Segment, ...],
    evaluation: EvaluationSettings,
) -> UserFigures:
    gains = user_ndcg(ranks, evaluation.k)
    return UserFigures(
        users=trial.users,
        targets=tuple(trial.snapshot.items.item_id(int(code)) for code in trial.target_codes),
        requests=trial.fingerprint,
        chance=chance(trial.candidates.shape[1], evaluation.k)[0],
        ndcg=gains[SUBJECT],
        blind_ndcg=ndcg(blind.ranks, evaluation.k),
        popularity_ndcg=gains["popularity"],
        ranked=np.mean([run.ranked for run in orders], axis=0),
        calls=np.mean([run.calls for run in orders], axis=0),
        order_correlation=np.mean([run.order_correlation for run in orders], axis=0),
        seconds_per_user=min(run.seconds for run in orders) / len(trial.rows),
        segments=parts,
    )


def _probes(
    trial: Trial,
    popularity: np.ndarray,
    users: UserFigures,
    ablated: Mapping[str, AgentRun],
    settings: Settings,
) -> list[Finding]:
    evaluation, gate = settings.evaluation, settings.gate
    blind, popular = users.blind_ndcg, users.popularity_ndcg
    found = [
        probes.anti_popularity(popularity, trial.target, evaluation),
        probes.input_order(trial.target, trial.candidates.shape[1], evaluation),
        probes.own_count(trial.snapshot.items.popularity, trial.event_counts),
        probes.target_in_history([row.history for row in trial.rows], trial.target_codes),
        probes.strong_evidence({**trial.evidence, "popularity": popularity}, trial.target),
        probes.follows_order(users.order_correlation, evaluation, bound=gate.max_order_correlation),
        probes.knows_blind(blind, popular, evaluation, bound=gate.max_blind_lead),
    ]
    if STRANGERS_ROWS in ablated:
        stranger = ndcg(ablated[STRANGERS_ROWS].ranks, evaluation.k)
        found.append(probes.strangers_rows(stranger, blind, popular, evaluation))
    return found


def _probe(found: Finding) -> dict[str, Any]:
    return {
        **{"name": found.name, "value": found.value, "bound": found.bound, "evidence": found.evidence},
        **{"is_alarm": found.is_alarm, "expectation": found.expectation},
    }


def _summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    names = sorted({name for one in counts for name in one})
    return {name: sum(one.get(name, 0) for one in counts) for name in names}
