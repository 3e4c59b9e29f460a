"""Calls that pay and calls that do not, known by construction: three candidates, target at label 0."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from recthinker.evaluation.metrics import ndcg
from recthinker.training.needless_calls import (
    FEWEST_REQUESTS,
    enough_after,
    goes_on,
    without_hasty_answers,
    without_needless_calls,
)
from recthinker.training.rollout import Rollout
from tests.training.rollouts import rollout

SECOND = float(ndcg(np.array([2.0]), 10)[0])
TURN, TOLD = 1, 0


def drawn(calls: int, lead: float, *, right: bool = True, results: int = 50, thought: int = 30) -> Rollout:
    """One whose best label leads by so much; each call is a turn of two tokens and a result of one."""
    ids, mask = [5, 6], [TOLD, TOLD]
    for call in range(calls):
        ids, mask = [*ids, thought, 20 + call, results + call], [*mask, TURN, TURN, TOLD]
    return replace(
        rollout(calls=calls),
        ids=[*ids, 40, 41, 7, 8],
        mask=[*mask, TURN, TURN, TURN, TOLD],
        logprobs=[0.0] * (len(ids) + 4),
        answer_at=len(ids) + 2,
        scores=(lead, 0.0, -9.0) if right else (0.0, lead, -9.0),
    )


def pairs(*drawn_of: tuple[float, bool, bool], calls: int = 1) -> list[list[Rollout]]:
    """Of each request one with so many calls, its lead and whether it is right, and one of a call more."""
    return [[drawn(calls, lead, right=short), drawn(calls + 1, 1.0, right=more)] for lead, short, more in drawn_of]


def found(groups: Sequence[Sequence[Rollout]], price: float) -> dict[int, float]:
    """Of enough requests like these."""
    return enough_after([*groups] * FEWEST_REQUESTS, price)


def about(lead: float) -> object:
    return pytest.approx(lead, abs=1e-3)


def test_one_goes_on_from_another_that_was_told_the_same_up_to_its_answer() -> None:
    short, longer = drawn(1, 1.0), drawn(2, 1.0)
    assert goes_on(longer, short)
    assert not goes_on(short, longer)
    assert not goes_on(short, short)
    # Told something else by the same call; and another call.
    assert not goes_on(drawn(2, 1.0, results=60), short)
    assert not goes_on(replace(longer, plan=("item_info", *longer.plan[1:])), short)
    # Other words of its own before the same call.
    assert goes_on(drawn(2, 1.0, thought=31), short)
    # The answer's first words may be the format's and not the agent's.
    given = replace(short, mask=[*short.mask[:-4], TURN, TURN, TOLD, TURN], answer_at=len(short.ids) - 1)
    assert goes_on(longer, given)


def test_a_call_pays_by_its_mean_and_not_by_its_most_frequent_end() -> None:
    # Three of four come out alike, one gains much: on average more than the price.
    rarely_much = pairs((1.0, True, True), (1.0, True, True), (1.0, True, True), (1.0, False, True))
    worth = (1 - SECOND) / 4
    assert found(rarely_much, worth - 0.01) == {1: math.inf}
    assert found(rarely_much, worth + 0.01) == {1: about(1.0)}


def test_it_is_enough_from_the_lead_on_above_which_going_on_does_not_pay() -> None:
    groups = pairs((0.5, False, True), (1.5, False, True), (2.5, True, True), (3.5, True, False))
    assert found(groups, 0.01) == {1: about(2.5)}


def test_each_number_of_calls_has_a_lead_of_its_own() -> None:
    pays, does_not = pairs((2.0, False, True), calls=2), pairs((1.0, True, True), calls=1)
    assert list(found([*pays, *does_not], 0.01).items()) == [(1, about(1.0)), (2, math.inf)]


def test_each_call_more_has_its_price_and_those_that_went_on_count_by_their_mean() -> None:
    gain = 1 - SECOND
    group = [drawn(1, 1.0, right=False), drawn(3, 1.0)]
    assert found([group], gain / 2 + 0.01) == {1: about(1.0)}
    assert found([group], gain / 2 - 0.01) == {1: math.inf}
    many = [drawn(1, 1.0, right=False), drawn(2, 1.0), *[drawn(2, 1.0, right=False)] * 3]
    assert found([many], gain / 4 + 0.01) == {1: about(1.0)}
    assert found([many], gain / 4 - 0.01) == {1: math.inf}


def test_going_on_counts_where_it_ended_badly_but_for_a_fault_of_ours() -> None:
    short, right = drawn(1, 1.0, right=False), drawn(2, 1.0)
    no_answer = replace(right, status="fallback_invalid", scores=())
    at_a_limit = replace(drawn(2, 1.0, right=False), stop_reason="call_limit")
    assert found([[short, right]], 0.01) == {1: math.inf}
    assert found([[short, right, no_answer]], 0.01) == {1: about(1.0)}
    assert found([[short, right, at_a_limit]], (1 - SECOND) / 2 + 0.01) == {1: about(1.0)}
    assert found([[short, right, replace(no_answer, status="fallback_error")]], 0.01) == {1: math.inf}
    # Nobody is to learn an answer that a limit forced.
    assert found([[replace(short, stop_reason="call_limit"), right]], 0.01) == {}


def test_a_call_that_only_parts_equal_scores_is_worth_nothing() -> None:
    equal = replace(drawn(1, 0.0), scores=(0.0, 0.0, -9.0))
    parted = [[equal, drawn(2, 1.0)], [equal, drawn(2, 1.0, right=False)]]
    assert found(parted, 0.001) == {1: about(0.0)}


def test_of_few_requests_or_where_nobody_went_on_nothing_is_said() -> None:
    group = [drawn(1, 1.0), drawn(1, 1.0), drawn(2, 1.0)]
    assert enough_after([group] * (FEWEST_REQUESTS - 1), 0.01) == {}
    assert enough_after([group] * FEWEST_REQUESTS, 0.01) == {1: about(1.0)}
    assert found([[drawn(1, 1.0), drawn(1, 1.0)], [drawn(2, 1.0)]], 0.01) == {}
    assert without_needless_calls(group, {}) == without_hasty_answers(group, {}) == group


def test_needless_are_the_calls_after_a_lead_that_is_enough_however_they_ended() -> None:
    sure, unsure = drawn(1, 3.0, right=False), drawn(1, 2.0)
    longer, elsewhere = drawn(2, 1.0), drawn(2, 1.0, results=60)
    assert without_needless_calls([sure, longer, elsewhere], {1: 2.5}) == [sure, elsewhere]
    assert without_needless_calls([unsure, longer, elsewhere], {1: 2.5}) == [unsure, longer, elsewhere]


def test_hasty_are_the_answers_before_a_lead_that_is_enough_where_another_went_on() -> None:
    sure, unsure, longer = drawn(1, 3.0), drawn(1, 2.0), drawn(2, 1.0, right=False)
    assert without_hasty_answers([unsure, longer], {1: 2.5}) == [longer]
    assert without_hasty_answers([sure, longer], {1: 2.5}) == [sure, longer]
    # Nobody shows what else to do.
    assert without_hasty_answers([unsure], {1: 2.5}) == [unsure]
