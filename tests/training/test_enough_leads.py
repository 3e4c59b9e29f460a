"""The lead that is enough, where it is known by construction."""

import math

import numpy as np
import pytest

from recthinker.evaluation.metrics import ndcg
from recthinker.training.enough_leads import enough_leads

SECOND = float(ndcg(np.array([2.0]), 10)[0])


def after(leads: list[float], is_right: list[bool]) -> np.ndarray:
    """Scores of three candidates, (R, 3), where the first, which was chosen, is the best or the second by so much."""
    return np.array(
        [[lead, 0.0, -9.0] if right else [0.0, lead, -9.0] for lead, right in zip(leads, is_right, strict=True)]
    )


def found(*scores: np.ndarray, price: float = 0.01) -> list[float]:
    return enough_leads(scores, np.zeros(len(scores[0]), int), price)


def test_it_is_the_least_lead_from_which_a_further_call_brings_too_little() -> None:
    first = after([0.5, 1.0, 2.0, 3.0], [False, False, True, True])
    assert found(first, after([1.0] * 4, [True] * 4)) == [pytest.approx(2.0, abs=1e-4)]
    # The call after turns a right answer into a wrong one: nobody should make it.
    assert found(first, after([1.0] * 4, [False] * 4)) == [pytest.approx(0.5, abs=1e-4)]
    # All are wrong at first, and right then.
    assert found(after([0.5, 3.0], [False, False]), after([1.0] * 2, [True] * 2)) == [math.inf]


def test_a_lead_is_enough_if_those_above_it_gain_less_than_the_price_on_average() -> None:
    first, then = after([1.0, 1.0, 3.0], [True, False, True]), after([1.0] * 3, [True] * 3)
    worth = (1 - SECOND) / 2
    assert found(first, then, price=worth - 0.01) == [pytest.approx(3.0, abs=1e-4)]
    assert found(first, then, price=worth + 0.01) == [pytest.approx(1.0, abs=1e-4)]


def test_what_a_call_is_worth_counts_the_calls_that_follow_it() -> None:
    wrong, right = [False, False], [True, True]
    # The second call alone brings nothing, but only after it the third brings all.
    plan = [after([1.0, 1.0], wrong), after([2.0, 2.0], wrong), after([1.0, 1.0], right)]
    assert found(*plan) == [math.inf, math.inf]
    assert found(*plan, price=(1 - SECOND) * 0.6) == [pytest.approx(1.0, abs=1e-4), math.inf]


def test_what_is_enough_does_not_hang_by_a_hair() -> None:
    first, then = after([0.3, 0.1 + 0.2], [True, True]), after([1.0] * 2, [True] * 2)
    [enough] = found(first, then)
    assert enough < min(0.3, 0.1 + 0.2)


def test_a_plan_of_one_call_or_none_has_nothing_to_stop() -> None:
    assert found(after([1.0], [True])) == []
    assert enough_leads([], np.zeros(0, int), 0.01) == []


def test_a_candidate_that_is_not_shown_is_no_second() -> None:
    alone = np.array([[1.0, -np.inf, -np.inf]])
    assert found(alone, alone) == [math.inf]
