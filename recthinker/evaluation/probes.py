"""Leak probes: rules and models that may not rank well unless something has seen the answer.

Each returns a finding with its numbers. A probe that finds nothing proves nothing: it is blind to leaks of other kinds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recthinker.evaluation.metrics import chance, ndcg, target_ranks
from recthinker.evaluation.significance import bootstrap_mean
from recthinker.settings import EvaluationSettings

MAX_FIRST_SHARE = 0.9
"""Share of users whose target one kind of evidence alone may put first; honest evidence on sampled candidates stays far
below, a leaked target is first for nearly everybody."""
MAX_STRANGER_LEAD = 0.02
"""NDCG by which a model with a stranger's rows may lead what needs no rows at all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found."""

    name: str
    value: float
    """What was measured."""
    bound: float
    """What it may be; above it is the alarm."""
    evidence: float
    """What is held against the bound: the value, or the lower end of its 95 % interval where chance has a say."""
    expectation: str
    """The bound in words, and what an alarm means."""

    @property
    def is_alarm(self) -> bool:
        """Whether something leaks, or another fault is as good as certain."""
        return self.evidence > self.bound


def ignorant_rule(
    name: str, scores: np.ndarray, target: np.ndarray, settings: EvaluationSettings, *, meaning: str
) -> Finding:
    """A rule that can know nothing of the target must not rank above chance: the lowest count first, the order in
    which the candidates came.

    Args:
        scores: of each candidate by that rule, higher is better, (U, N).
        target: the target's column, (U,).
        meaning: what it means if it does.
    """
    floor = chance(scores.shape[1], settings.k)[0]
    found = _mean(ndcg(target_ranks(scores, target), settings.k), settings)
    return Finding(name, found[0], floor, found[1], f"at most chance ({floor:.4f}); clearly above it, {meaning}")


def anti_popularity(popularity: np.ndarray, target: np.ndarray, settings: EvaluationSettings) -> Finding:
    """Order by ascending count, (U, N): good only where counts lack the target's own event and no other's."""
    meaning = "statistics leak the target"
    return ignorant_rule("anti-popularity", -popularity, target, settings, meaning=meaning)


def input_order(target: np.ndarray, width: int, settings: EvaluationSettings) -> Finding:
    """The order in which the `width` candidates are listed: the target's place must be random."""
    scores = np.tile(-np.arange(width, dtype=float), (len(target), 1))
    return ignorant_rule("input order", scores, target, settings, meaning="the lists tell where the target is")


def own_count(shown: np.ndarray, counted: np.ndarray) -> Finding:
    """Items whose count, as the tools show it, is not that of the events without the targets; both (I,)."""
    differing = float((shown != counted).sum())
    return Finding(
        "own count", differing, 0.0, differing, "no item's count differs from that of the events before the targets"
    )


def target_in_history(histories: Sequence[np.ndarray], target: np.ndarray) -> Finding:
    """Users whose history, as the tools read it, holds the target, which was new to them.

    Args:
        histories: item codes that the tools read, by user.
        target: the target's item code, (U,).
    """
    seen = sum(int(item) in history for history, item in zip(histories, target, strict=True))
    return Finding("target in history", float(seen), 0.0, float(seen), "no user's history holds the target")


def strong_evidence(evidence: Mapping[str, np.ndarray], target: np.ndarray) -> Finding:
    """The one kind of evidence, (U, N), that alone puts most targets first: near certainty is a leaked target.

    It finds a leak that touches nearly all users; one that touches few can pass for honest evidence.
    """
    first = {name: float((target_ranks(scores, target) == 1).mean()) for name, scores in evidence.items()}
    name = max(first, key=lambda kind: first[kind])
    return Finding(
        f"strongest evidence: {name}",
        first[name],
        MAX_FIRST_SHARE,
        first[name],
        f"it alone puts at most {MAX_FIRST_SHARE:.0%} of the targets first; above, it has seen them",
    )


def follows_order(correlation: np.ndarray, settings: EvaluationSettings, *, bound: float) -> Finding:
    """A model's correlation of rank with shown position, (U,): a copy of the order has 1, the order turned around -1, a
    ranking about 0. Candidates that nothing speaks for are often left in some order of the labels, which costs little
    and shows here too.
    """
    found = bootstrap_mean(correlation, draws=settings.bootstrap_draws, seed=settings.seed)
    expectation = f"at most {bound:g} either way; clearly more, the model ranks by the order shown"
    return Finding("order shown", found.mean, bound, max(found.low, -found.high), expectation)


def knows_blind(blind: np.ndarray, popularity: np.ndarray, settings: EvaluationSettings, *, bound: float) -> Finding:
    """NDCG of a model without any tool minus that of popularity, both (U,): memory of the targets.

    The prompt alone says nothing of who the user is, so that the best an honest model has is what it knows of items in
    general; clearly more than their popularity is memory of these very lists.
    """
    mean, low = _mean(blind - popularity, settings)
    expectation = f"at most {bound:g} above popularity; clearly more, the model has seen the targets"
    return Finding("knows without looking", mean, bound, low, expectation)


def strangers_rows(
    stranger: np.ndarray, blind: np.ndarray, popularity: np.ndarray, settings: EvaluationSettings
) -> Finding:
    """NDCG of a model that reads another user's rows minus the better of itself without tools and popularity, all
    (U,): a stranger's rows say what is popular, and nothing of this user.
    """
    reference = max(blind, popularity, key=lambda values: float(values.mean()))
    mean, low = _mean(stranger - reference, settings)
    expectation = (
        f"at most {MAX_STRANGER_LEAD:g} above popularity or no tools; clearly more, the rows of others know the target"
    )
    return Finding("stranger's rows", mean, MAX_STRANGER_LEAD, low, expectation)


def _mean(values: np.ndarray, settings: EvaluationSettings) -> tuple[float, float]:
    """The mean and the lower end of its 95 % interval."""
    found = bootstrap_mean(values, draws=settings.bootstrap_draws, seed=settings.seed)
    return found.mean, found.low
