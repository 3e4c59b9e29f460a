"""Demonstration episodes: the scripted planner plays the agent through the same batch driver as a night.

The planner reads only what the agent would read; which item was really chosen is joined afterwards, as the target of
SFT. No rendered token depends on it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from recthinker.agent import Agent, Episode
from recthinker.inference import ScriptedEngine, run_episodes
from recthinker.inference.scripted import Planner
from recthinker.lookup import ItemRows, RequestRow

IGNORED = -100
"""Label of a token that the loss leaves out (PyTorch's convention)."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A recorded episode that is to be learned from."""

    key: str
    ids: list[int]
    """Up to and including the `<rank>` control token."""
    mask: list[int]
    """1 where the agent wrote."""
    prompt_length: int
    ranking: list[int]
    """Label tokens, best first, as the planner ranks what was read."""
    target: int
    """Label token of the item that was really chosen."""
    plan: tuple[str, ...]
    """Tools called."""


def demonstrate(
    agent: Agent,
    items: ItemRows,
    requests: Iterable[RequestRow],
    targets: Mapping[str, int],
    *,
    random_share: float,
) -> Iterator[Demonstration]:
    """An episode for each request.

    Args:
        targets: code of the item really chosen, by request key.
        random_share: share of episodes that follow a random plan.
    """
    planner = Planner(agent.chat, list(agent.toolbox.tools), random_share=random_share)
    for episode in run_episodes(ScriptedEngine(planner), agent, items, requests, max_in_flight=64):
        if episode.label_scores:
            yield _record(episode, targets[episode.scene.request.key])


def _record(episode: Episode, target: int) -> Demonstration:
    label_ids = episode.agent.chat.label_ids
    end = episode.ids.index(episode.agent.chat.rank_id) + 1
    ranked = np.argsort(-np.array(episode.label_scores), kind="stable")
    return Demonstration(
        key=episode.scene.request.key,
        ids=episode.ids[:end],
        mask=episode.mask[:end],
        prompt_length=episode.turns[1].start,
        ranking=[label_ids[label] for label in ranked],
        target=label_ids[int(np.flatnonzero(episode.scene.candidates == target)[0])],
        plan=tuple(called.call.name for called in episode.calls),
    )


def base_example(demonstration: Demonstration, end_id: int) -> tuple[list[int], list[int]]:
    """Ids and labels for base training: everything after the prompt is learned, tool results and the whole ranking too.

    Dense targets are what a model from scratch needs to learn to read evidence; the prompt's titles carry nothing to
    predict and are left out.
    """
    ids = [*demonstration.ids, *demonstration.ranking, end_id]
    start = demonstration.prompt_length
    return ids, [IGNORED] * start + ids[start:]


def sft_example(demonstration: Demonstration, end_id: int) -> tuple[list[int], list[int]]:
    """Ids and labels for SFT: only what the agent wrote is learned, and the answer is the item really chosen."""
    ids = [*demonstration.ids, demonstration.target, end_id]
    written = [id_ if mask else IGNORED for id_, mask in zip(demonstration.ids, demonstration.mask, strict=True)]
    return ids, [*written, demonstration.target, IGNORED]
