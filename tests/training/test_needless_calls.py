"""Calls that pay and calls that do not, known by construction: three candidates, target at label 0."""

import math
from dataclasses import replace

import numpy as np
import pytest

from recthinker.evaluation.metrics import ndcg
from recthinker.training.needless_calls import (
    goes_on,
    leads_to_stop_at,
    without_hasty_answers,
    without_needless_calls,
)
from recthinker.training.rollout import Rollout
from tests.training.rollouts import rollout

SECOND = float(ndcg(np.array([2.0]), 10)[0])
TURN, RESULT = 1, 0


def drawn(calls: int, lead: float, *, right: bool = True, results: int = 50) -> Rollout:
    """One whose best label leads by so much; each call is a turn of two tokens and a result of one."""
    ids, mask = [5, 6], [RESULT, RESULT]
    for call in range(calls):
        ids, mask = [*ids, 20 + call, 30, results + call], [*mask, TURN, TURN, RESULT]
    scores = (lead, 0.0, -9.0) if right else (0.0, lead, -9.0)
    return replace(
        rollout(calls=calls),
        ids=[*ids, 40, 41, 7, 8],
        mask=[*mask, TURN, TURN, TURN, RESULT],
        logprobs=[0.0] * (len(ids) + 4),
        answer_at=len(ids) + 2,
        scores=scores,
    )


def pairs(*gains: tuple[float, bool, bool]) -> list[list[Rollout]]:
    """Of each request a rollout with a call, its lead and whether it is right, and the same of one with two calls."""
    return [[drawn(1, lead, right=short), drawn(2, 1.0, right=longer)] for lead, short, longer in gains]


def test_one_goes_on_from_another_where_both_are_the_same_up_to_its_answer() -> None:
    short, longer = drawn(1, 1.0), drawn(2, 1.0)
    assert goes_on(longer, short)
    assert not goes_on(short, longer)
    assert not goes_on(short, short)
    # Told something else by the same call.
    assert not goes_on(drawn(2, 1.0, results=60), short)
    # The answer's first words may be the format's and not the agent's.
    given = replace(short, mask=[*short.mask[:-4], TURN, TURN, RESULT, TURN], answer_at=len(short.ids) - 1)
    assert goes_on(longer, given)


def test_a_call_pays_by_its_mean_and_not_by_its_most_frequent_end() -> None:
    # Three of four come out alike, one gains much: on average more than the price.
    rarely_much = pairs((1.0, True, True), (1.0, True, True), (1.0, True, True), (1.0, False, True))
    worth = (1 - SECOND) / 4
    assert leads_to_stop_at(rarely_much, price=worth - 0.01) == {1: math.inf}
    assert leads_to_stop_at(rarely_much, price=worth + 0.01) == {1: pytest.approx(1.0, abs=1e-3)}


def test_it_is_enough_from_the_lead_on_above_which_going_on_does_not_pay() -> None:
    groups = pairs((0.5, False, True), (1.5, False, True), (2.5, True, True), (3.5, True, False))
    assert leads_to_stop_at(groups, price=0.01) == {1: pytest.approx(2.5, abs=1e-3)}


def test_each_call_more_has_its_price_and_all_that_went_on_count_once() -> None:
    gain = 1 - SECOND
    group = [drawn(1, 1.0, right=False), drawn(3, 1.0)]
    assert leads_to_stop_at([group], price=gain / 2 + 0.01) == {1: pytest.approx(1.0, abs=1e-3)}
    assert leads_to_stop_at([group], price=gain / 2 - 0.01) == {1: math.inf}
    # One that gained, with three of the same that lost nothing and gained nothing, is a quarter.
    many = [drawn(1, 1.0, right=False), drawn(2, 1.0), *[drawn(2, 1.0, right=False)] * 3]
    assert leads_to_stop_at([many], price=gain / 4 + 0.01) == {1: pytest.approx(1.0, abs=1e-3)}
    assert leads_to_stop_at([many], price=gain / 4 - 0.01) == {1: math.inf}


def test_where_nobody_went_on_nothing_is_said() -> None:
    assert leads_to_stop_at([[drawn(1, 1.0), drawn(1, 1.0)], [drawn(2, 1.0)]], price=0.01) == {}


def test_needless_are_the_calls_after_a_lead_that_is_enough_however_they_ended() -> None:
    sure, unsure, longer, elsewhere = (
        drawn(1, 3.0, right=False),
        drawn(1, 2.0),
        drawn(2, 1.0),
        drawn(2, 1.0, results=60),
    )
    assert without_needless_calls([sure, longer, elsewhere], {1: 2.5}) == [sure, elsewhere]
    assert without_needless_calls([unsure, longer, elsewhere], {1: 2.5}) == [unsure, longer, elsewhere]


def test_hasty_are_the_answers_before_a_lead_that_is_enough_where_another_went_on() -> None:
    sure, unsure, longer = drawn(1, 3.0), drawn(1, 2.0), drawn(2, 1.0, right=False)
    assert without_hasty_answers([unsure, longer], {1: 2.5}) == [longer]
    assert without_hasty_answers([sure, longer], {1: 2.5}) == [sure, longer]
    # Nobody shows what else to do.
    assert without_hasty_answers([unsure], {1: 2.5}) == [unsure]
