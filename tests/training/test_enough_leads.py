"""The lead that is enough, where it is known by construction."""

import math

import numpy as np
import pytest

from recthinker.evaluation.metrics import ndcg
from recthinker.training.enough_leads import enough_leads, expected_ndcg

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


def test_a_later_stop_is_counted_by_the_calls_before_it() -> None:
    # The second call finds what half of them want, the third loses it: who goes on stops at the second.
    plan = [after([1.0] * 4, [False] * 4), after([2.0] * 4, [True] * 4), after([1.0] * 4, [False] * 4)]
    assert found(*plan) == [math.inf, pytest.approx(2.0, abs=1e-4)]


def test_those_who_have_stopped_do_not_decide_for_those_who_go_on() -> None:
    plan = [
        after([5.0] * 10 + [0.5] * 5, [True] * 10 + [False] * 5),
        after([1.0] * 15, [True] * 10 + [False] * 5),
        after([1.0] * 15, [False] * 10 + [True] * 5),
    ]
    assert found(*plan) == [pytest.approx(5.0, abs=1e-4), math.inf]


def test_a_call_that_only_parts_equals_brings_nothing() -> None:
    equal, parted = np.zeros((60, 3)), np.zeros((60, 3))
    parted[np.arange(60), np.arange(60) % 3] = 1.0
    assert expected_ndcg(equal, np.zeros(60, int)).mean() == pytest.approx(
        expected_ndcg(parted, np.zeros(60, int)).mean()
    )
    assert found(equal, parted) == [pytest.approx(0.0, abs=1e-4)]
    # At no price it is no gain either, and what brings nothing is not enough.
    assert found(after([1.0], [True]), after([1.0], [True]), price=0.0) == [math.inf]


def test_a_place_below_the_tenth_is_worth_nothing() -> None:
    scores = np.arange(12.0)[None]
    assert expected_ndcg(scores, np.array([2])) == pytest.approx(1 / np.log2(11))
    assert expected_ndcg(scores, np.array([1])) == 0


def test_what_is_enough_does_not_hang_by_a_hair() -> None:
    # 0.1 + 0.2 is a little more than 0.3: both are one lead, though only who leads by the larger one gains by it.
    first, then = after([0.3, 0.1 + 0.2, 2.0], [False, True, True]), after([1.0] * 3, [True] * 3)
    [enough] = found(first, then)
    assert enough == pytest.approx(2.0, abs=1e-4)
    assert enough < 2.0


def test_a_plan_of_one_call_or_none_has_nothing_to_stop() -> None:
    assert found(after([1.0], [True])) == []
    assert enough_leads([], np.zeros(0, int), 0.01) == []


def test_a_candidate_that_is_not_shown_is_no_second() -> None:
    alone = np.array([[1.0, -np.inf, -np.inf]])
    assert found(alone, alone) == [math.inf]
