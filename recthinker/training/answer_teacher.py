"""What an answer should say, while RL moves the calls: the probability of each candidate, given what was read.

The item really chosen is one draw from it, and a step of RL has the draws of few requests. So where the scripted
planner has been fitted, its probabilities stand in their place: the same in the mean as far as the fit holds, without
the draw's noise. A model of another chat format, or without a fit beside its base model, learns the item chosen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from recthinker.agent import ChatFormat, CompactFormat
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.inference.scripted import Planner
from recthinker.tools import Tool
from recthinker.training.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Teacher:
    """Who says what an answer should say."""

    shares: Callable[[Rollout], np.ndarray]
    """Probabilities of the labels, (N,), of a rollout that has an answer."""
    sees_target: bool
    """Whether they tell the item really chosen, and not only what was read."""


def answer_teacher(chat: ChatFormat, tools: Mapping[str, Tool], weights: EvidenceWeights) -> Teacher:
    """The planner with these weights; the item chosen where none are fitted, or it cannot read the format."""
    if not weights.fits or not isinstance(chat, CompactFormat):
        return Teacher(item_chosen, sees_target=True)
    planner = Planner(chat, tools, weights=weights)

    def as_planned(rollout: Rollout) -> np.ndarray:
        shares: np.ndarray = np.exp(planner.label_logprobs(planner.read(rollout.ids[: rollout.answer_at])))
        return shares

    return Teacher(as_planned, sees_target=False)


def item_chosen(rollout: Rollout) -> np.ndarray:
    """1 for the item really chosen, 0 for all others."""
    shares = np.zeros(len(rollout.scores))
    shares[rollout.target] = 1.0
    return shares


def divergence(shares: np.ndarray, rollout: Rollout) -> float:
    """Of the rollout's answer from what it should say (Kullback-Leibler), nats."""
    scores = np.array(rollout.scores)
    logprobs = scores - np.logaddexp.reduce(scores)
    told = shares > 0
    return float((shares[told] * (np.log(shares[told]) - logprobs[told])).sum())
