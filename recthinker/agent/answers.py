"""From an answer to a score of each label: read off the labels' log-probabilities, or a list that was written out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MIN_LABELS_SHARE = 0.5
"""Labels that a list must hold to be repaired, of all."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says."""

    scores: tuple[float, ...] = ()
    """By label, higher is better; empty where it is of no use."""
    fault: str = ""
    """What is wrong with it, for people; with scores: what was repaired."""


def read_scores(scores: Sequence[float], count: int) -> Reading:
    """Of log-probabilities of `count` labels: themselves, if all are there and finite."""
    if len(scores) != count or not all(map(math.isfinite, scores)):
        return Reading(fault="labels without a finite log-probability")
    return Reading(tuple(scores))


def read_list(labels: Sequence[int | None], count: int) -> Reading:
    """Of a list of `count` labels: 0 for the first, -1 for the second, and so on.

    A list that is nearly a permutation is repaired: of a repeated label the first place counts, what is no label is
    left out, and missing labels follow in the order in which the candidates were shown. With fewer than half of the
    labels it is of no use.
    """
    found = list(dict.fromkeys(label for label in labels if label is not None))
    missing = [label for label in range(count) if label not in found]
    if len(found) < MIN_LABELS_SHARE * count:
        return Reading(fault=f"a list of {len(found)} of {count} labels")
    place = {label: -float(rank) for rank, label in enumerate([*found, *missing])}
    scores = tuple(place[label] for label in range(count))
    strange, repeated = labels.count(None), len(labels) - labels.count(None) - len(found)
    if not missing and not repeated and not strange:
        return Reading(scores)
    return Reading(scores, f"list of {count}: {len(missing)} missing, {repeated} repeated, {strange} no label")
