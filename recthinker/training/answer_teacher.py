"""What an answer should say, while RL moves the calls: the probability of each candidate, given what was read.

Which item was really chosen is one draw from it, and a step of RL has the draws of few requests. So where the scripted
planner has been fitted, its probabilities stand in their place: the same in the mean as far as the fit holds, without
the draw's noise. A model of another chat format, or without a fit beside its base model, learns the item chosen.
"""

from collections.abc import Callable, Mapping

import numpy as np

from recthinker.agent import ChatFormat, CompactFormat
from recthinker.inference.evidence_weights import EvidenceWeights
from recthinker.inference.scripted import Planner
from recthinker.tools import Tool
from recthinker.training.rollout import Rollout

Teacher = Callable[[Rollout], np.ndarray]
"""Probabilities of the labels, (N,), of a rollout that has an answer."""


def answer_teacher(chat: ChatFormat, tools: Mapping[str, Tool], weights: EvidenceWeights) -> Teacher:
    """The planner's reading with these weights, or else the item really chosen."""
    if not weights.fits or not isinstance(chat, CompactFormat):
        return item_chosen
    planner = Planner(chat, tools, weights=weights)

    def as_planned(rollout: Rollout) -> np.ndarray:
        shares: np.ndarray = np.exp(planner.label_logprobs(planner.read(rollout.ids[: rollout.answer_at])))
        return shares

    return as_planned


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
