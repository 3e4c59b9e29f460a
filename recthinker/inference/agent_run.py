"""An agent over all requests of a trial, in one order of the candidates."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recthinker.agent import Agent, Episode, Outcome
from recthinker.evaluation.metrics import target_ranks
from recthinker.evaluation.shown_order import order_correlation
from recthinker.inference.batch import run_episodes
from recthinker.inference.engine import Engine
from recthinker.lookup import ItemRows, RequestRow


@dataclass(frozen=True, slots=True)
class AgentRun:
    """What an agent made of each request, (U,), in the order of the requests."""

    ranks: np.ndarray
    """The target's rank; infinite after a fallback, which scores 0: its order was drawn at random, not served."""
    order_correlation: np.ndarray
    """Of rank with shown position; 0 after a fallback."""
    calls: np.ndarray
    ranked: np.ndarray
    """1 where the agent answered by itself."""
    outcomes: dict[str, int]
    seconds: float
    """Wall seconds of the whole batch."""


def run_agent(
    engine: Engine,
    agent: Agent,
    items: ItemRows,
    rows: Sequence[RequestRow],
    target: np.ndarray,
    *,
    max_in_flight: int,
    on_episode: Callable[[Episode], None],
) -> AgentRun:
    """Every request's episode.

    Args:
        target: the target's place among the candidates of each request, (U,).
        on_episode: called with each episode that ended.
    """
    started = time.monotonic()
    ended: dict[str, Episode] = {}
    for episode in run_episodes(engine, agent, items, rows, max_in_flight=max_in_flight):
        ended[episode.scene.request.key] = episode
        on_episode(episode)
    seconds = time.monotonic() - started
    episodes = [ended[row.key] for row in rows]
    scores, shown = (np.stack(arrays) for arrays in zip(*map(_by_place, episodes), strict=True))
    has_answer = np.array([bool(episode.label_scores) for episode in episodes])
    names = [str(episode.outcome) for episode in episodes]
    return AgentRun(
        ranks=np.where(has_answer, target_ranks(scores, target), np.inf),
        order_correlation=np.where(has_answer, order_correlation(scores, shown), 0.0),
        calls=np.array([len(episode.calls) for episode in episodes], float),
        ranked=np.array([episode.outcome is Outcome.RANKED for episode in episodes], float),
        outcomes={name: names.count(name) for name in sorted(set(names))},
        seconds=seconds,
    )


def _by_place(episode: Episode) -> tuple[np.ndarray, np.ndarray]:
    """Score and shown position of each candidate, by its place in the request, (N,) each."""
    order = episode.scene.order
    scores = np.empty(len(order))
    for place, score in episode.ranking():
        scores[place] = score
    return scores, np.argsort(order)
