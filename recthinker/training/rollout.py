"""Rollouts: episodes with a known answer, several of each request, drawn by the same batch driver as a night's."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recthinker.agent import Agent, Episode, Outcome, StopReason
from recthinker.inference import run_episodes
from recthinker.inference.engine import Engine
from recthinker.lookup import ItemRows, RequestRow

NO_FAULT_OF_THE_AGENT = (Outcome.FALLBACK_ERROR, Outcome.FALLBACK_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Rollout:
    """One episode."""

    key: str
    """Of its request."""
    sample: int
    """Its number among the request's."""
    user_id: str
    status: str
    """Outcome."""
    stop_reason: str
    plan: tuple[str, ...]
    """Tools called, in order."""
    broken_calls: int
    """Calls that a tool could not take, and turns that were no act."""
    ids: list[int]
    mask: list[int]
    """1 where the agent wrote."""
    logprobs: list[float]
    prompt_length: int
    """Tokens before the first turn."""
    answer_at: int
    """Place in `ids` of the answer's first token; the length of `ids` where none was asked for."""
    labels: tuple[str, ...]
    """Item of each label."""
    target: int
    """Label of the item that was really chosen."""
    scores: tuple[float, ...]
    """Of each label; empty where there is no answer."""

    @property
    def calls(self) -> int:
        """Tool calls."""
        return len(self.plan)

    @property
    def is_scored(self) -> bool:
        """Whether its end is the agent's doing, and not a fault of ours."""
        return self.status not in NO_FAULT_OF_THE_AGENT

    @property
    def ended_well(self) -> bool:
        """Whether the agent answered by itself, with a ranking that needed no repair, and every call was one that its
        tool could take.
        """
        is_ranked = self.status == Outcome.RANKED and self.stop_reason == StopReason.ANSWERED
        return is_ranked and not self.broken_calls

    @property
    def rank(self) -> float:
        """The target's rank, 1 = best; infinite without an answer."""
        if not self.scores:
            return math.inf
        order = np.argsort(-np.array(self.scores), kind="stable")
        return float(np.flatnonzero(order == self.target)[0]) + 1


def roll_out(
    engine: Engine,
    agent: Agent,
    items: ItemRows,
    requests: Sequence[RequestRow],
    targets: Mapping[str, int],
    *,
    rollouts: int,
    max_in_flight: int,
    on_episode: Callable[[Episode], None] = lambda episode: None,
) -> list[list[Rollout]]:
    """`rollouts` episodes of each request, request by request in their order; all of one see the same prompt.

    Args:
        engine: samples at a temperature above 0, or all rollouts of a request are the same.
        targets: code of the item really chosen, by request key.
        on_episode: called with each episode that ended.
    """
    place = {request.key: number for number, request in enumerate(requests)}
    groups: list[list[Rollout]] = [[] for _ in requests]
    asked: Iterable[RequestRow] = (replace(row, sample=sample) for row in requests for sample in range(rollouts))
    for episode in run_episodes(engine, agent, items, asked, max_in_flight=max_in_flight):
        on_episode(episode)
        key = episode.scene.request.key
        groups[place[key]].append(record(episode, targets[key]))
    return [sorted(group, key=lambda rollout: rollout.sample) for group in groups]


def record(episode: Episode, target: int) -> Rollout:
    """An ended episode; `target` is the code of the item really chosen."""
    request, items, candidates = episode.scene.request, episode.scene.items, episode.scene.candidates
    is_malformed = episode.stop_reason is StopReason.UNFINISHED_TURN
    return Rollout(
        key=request.key,
        sample=request.sample,
        user_id=request.user_id,
        status=str(episode.outcome),
        stop_reason=str(episode.stop_reason),
        plan=tuple(called.call.name for called in episode.calls),
        broken_calls=sum(not called.result.is_valid for called in episode.calls) + is_malformed,
        ids=episode.ids,
        mask=episode.mask,
        logprobs=episode.logprobs,
        prompt_length=episode.turns[1].start if len(episode.turns) > 1 else len(episode.ids),
        answer_at=len(episode.ids) if episode.answer_at is None else episode.answer_at,
        labels=tuple(items.item_id(int(code)) for code in candidates),
        target=int(np.flatnonzero(candidates == target)[0]),
        scores=episode.label_scores,
    )
