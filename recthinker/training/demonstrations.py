"""Demonstration episodes: the scripted planner plays the agent through the same batch driver as a night.

The planner reads only what the agent would read; which item was really chosen is joined afterwards, as the target of
SFT. No rendered token depends on it.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from recthinker.agent import Agent, CompactFormat, Episode
from recthinker.inference import ScriptedEngine, run_episodes
from recthinker.inference.evidence_weights import UNFITTED, EvidenceWeights
from recthinker.inference.scripted import Planner
from recthinker.lookup import ItemRows, RequestRow
from recthinker.lookup.files import hash_keys
from recthinker.settings import RankingName
from recthinker.training.base import Lesson
from recthinker.training.examples import IGNORED, Example, taught, written_labels

FIRST_WEIGHT = 10.0
"""Of the first place of a ranking in base training, beside the others: an answer is the probabilities there."""
SHORT_CANDIDATES = 5
"""Candidates of a short base example."""


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
    drawn_ranking: list[int]
    """The same, drawn from the planner's probabilities instead (Plackett-Luce): the first label is each label as often
    as the planner finds it the best."""
    shares: np.ndarray = field(compare=False)
    """At each place of it the planner's probability of each label, none of the labels before it counted, (N, N)."""
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
    weights: EvidenceWeights = UNFITTED,
    random_share: float,
    hasty_share: float = 0.0,
) -> Iterator[Demonstration]:
    """An episode for each request.

    Args:
        targets: code of the item really chosen, by request key.
        weights: of the planner's reading.
        random_share: share of episodes that follow a random plan.
        hasty_share: of the others, share of those that answer before the last call of the plan.
    """
    planner = Planner(
        agent.chat, agent.toolbox.tools, weights=weights, random_share=random_share, hasty_share=hasty_share
    )
    # Whatever the model is to write, the planner's probabilities of the labels are wanted.
    by_labels = replace(agent, settings=agent.settings.model_copy(update={"ranking": "labels"}))
    for episode in run_episodes(ScriptedEngine(planner), by_labels, items, requests, max_in_flight=64):
        if episode.label_scores:
            yield _record(episode, planner.chat, targets[episode.scene.request.key])


def _record(episode: Episode, chat: CompactFormat, target: int) -> Demonstration:
    label_ids = chat.label_ids
    key = episode.scene.request.key
    end = episode.ids.index(chat.rank_id) + 1
    logprobs = np.array(episode.label_scores)
    ranked, drawn = np.argsort(-logprobs, kind="stable"), draw_ranking(logprobs, key)
    return Demonstration(
        key=key,
        ids=episode.ids[:end],
        mask=episode.mask[:end],
        prompt_length=episode.turns[1].start,
        ranking=[label_ids[label] for label in ranked],
        drawn_ranking=[label_ids[label] for label in drawn],
        shares=shares_of(logprobs, drawn),
        target=label_ids[int(np.flatnonzero(episode.scene.candidates == target)[0])],
        plan=tuple(called.call.name for called in episode.calls),
    )


def draw_ranking(logprobs: np.ndarray, key: str) -> np.ndarray:
    """An order of the labels drawn from Plackett-Luce, (N,); the same for the same key.

    Sorting by log-probability plus Gumbel noise is such a draw.
    """
    noise = np.random.default_rng(int(hash_keys([key])[0])).gumbel(size=len(logprobs))
    return np.argsort(-(logprobs + noise), kind="stable")


def shares_of(logprobs: np.ndarray, order: np.ndarray) -> np.ndarray:
    """At each place of an order of the labels the probability of each label, given those before it (Plackett-Luce);
    float32, (N, N).
    """
    is_left = np.argsort(order)[None, :] >= np.arange(len(order))[:, None]
    left = np.where(is_left, logprobs, -np.inf)
    weights = np.exp(left - left.max(axis=1, keepdims=True))
    shares: np.ndarray = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def base_lesson(demonstration: Demonstration, end_id: int) -> Lesson:
    """A whole episode for base training: the agent's turns, and the planner's probabilities along a whole ranking.

    These are a target for every label; a model from scratch learns to read evidence from them, and hardly from the one
    label that was chosen.
    """
    ids = [*demonstration.ids, *demonstration.drawn_ranking, end_id]
    written = written_labels(demonstration.ids, demonstration.mask)
    shares = demonstration.shares.copy()
    shares[0] *= FIRST_WEIGHT
    return Lesson((ids, [*written, *[IGNORED] * len(shares), end_id]), shares)


def short_example(demonstration: Demonstration, chat: CompactFormat, rng: random.Random) -> Example:
    """A base example cut down to a few candidates, without text from the data; tool results are learned too.

    Finding the strongest label among five, in 60 tokens, is learned in a few hundred steps; among twenty in 300 tokens
    the same steps teach nothing. What is learned carries over to whole episodes.
    """
    labels = [id_ for id_ in demonstration.ids[: demonstration.prompt_length] if id_ in chat.label_ids]
    kept = {demonstration.ranking[0], *rng.sample(labels, k=min(SHORT_CANDIDATES, len(labels)))}
    control = set(chat.ids.values())
    ids: list[int] = []
    start = 0
    about = demonstration.ranking[0]
    for position, (id_, written) in enumerate(zip(demonstration.ids, demonstration.mask, strict=True)):
        if id_ in chat.label_ids:
            about = id_
        elif id_ not in chat.level_ids:
            about = demonstration.ranking[0] if id_ in control else about
        is_shown = about in kept and (written or id_ in control)
        if is_shown:
            ids.append(id_)
        if position + 1 == demonstration.prompt_length:
            start = len(ids)
    ids += [*(label for label in demonstration.ranking if label in kept), chat.end_id]
    return ids, [IGNORED] * start + ids[start:]


def sft_example(demonstration: Demonstration, end_id: int, ranking: RankingName = "labels") -> Example:
    """Ids and labels for SFT: only what the agent wrote is learned, and the answer is the item really chosen.

    Where the list is to be written out (`ranking` is "generate"), the planner's ranking follows it, and its end: they
    are learned too.
    """
    answer = answer_tokens(demonstration, ranking)
    return taught(demonstration.ids, demonstration.mask, answer, end_id, ranking)


def answer_tokens(demonstration: Demonstration, ranking: RankingName) -> list[int]:
    """The answer that SFT teaches, without its end: the item really chosen, then, in a list, the planner's others."""
    others = [label for label in demonstration.ranking if label != demonstration.target]
    return [demonstration.target, *(others if ranking == "generate" else [])]
