import json
from typing import Any

import numpy as np
import pytest

from recthinker.evaluation.adaptivity import adaptivity, further_calls
from recthinker.settings import EvaluationSettings, Settings

# 40 users, two orders. Without tools the target is third for the first 20 (NDCG 0.5) and first for the others.
BLIND = np.repeat([3.0, 1.0], 20)
# Of the wrong, 10 have 3 calls in both orders, 10 have 1 and 3; of the right, 18 have 1, and 2 have 2.
CALLS = np.stack([np.repeat([3, 1, 1, 2], [10, 10, 18, 2]), np.repeat([3, 3, 1, 2], [10, 10, 18, 2])]).astype(float)
# With tools the wrong are first in the first order only; the two right ones with 2 calls drop to third.
RANKS = np.stack([np.repeat([1, 1, 1, 3], [10, 10, 18, 2]), np.repeat([3, 3, 1, 3], [10, 10, 18, 2])]).astype(float)


@pytest.fixture
def evaluation(settings: Settings) -> EvaluationSettings:
    return settings.evaluation


@pytest.fixture
def found(evaluation: EvaluationSettings) -> dict[str, Any]:
    return adaptivity(CALLS, RANKS, BLIND, np.arange(1, 41), evaluation)


def values(figures: dict[str, Any]) -> dict[str, float]:
    return {name: figure["value"] for name, figure in figures.items()}


def test_calls_are_contrasted_where_the_ranking_without_tools_is_wrong_and_right(found: dict[str, Any]) -> None:
    assert (found["wrong_users"], found["right_users"]) == (20, 20)
    assert values(found["mean_calls"]) == pytest.approx({"wrong": 2.5, "right": 1.1, "difference": 1.4})
    # A user with 1 and 3 calls has an extra one in half of the orders.
    assert values(found["extra_call"]) == pytest.approx({"wrong": 0.75, "right": 0.1, "difference": 0.65})
    # Everybody calls, always: that tells nothing, and has no width.
    assert found["any_call"]["wrong"] == found["any_call"]["right"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["any_call"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_intervals_are_of_users(found: dict[str, Any]) -> None:
    # 10 users with 1, 10 with 0.5: sd 0.25 over 20 users.
    figure, half = found["extra_call"]["wrong"], 1.96 * 0.25 / np.sqrt(20)
    assert (figure["low"], figure["high"]) == pytest.approx((0.75 - half, 0.75 + half), abs=0.03)


def test_extra_calls_are_a_guess_that_the_ranking_is_wrong(found: dict[str, Any]) -> None:
    # Extra calls: 10 + 5 of 20 wrong users, 2 of 20 right ones.
    assert found["precision"]["value"] == pytest.approx(15 / 17)
    assert found["recall"]["value"] == pytest.approx(15 / 20)
    assert found["restraint"]["value"] == pytest.approx(18 / 20)
    assert found["wrong_share"]["value"] == 0.5


def test_gains_are_by_episode_and_a_user_counts_once_in_each(found: dict[str, Any]) -> None:
    one, two, three = found["gains"]
    # 10 of the 28 with an episode of 1 call gain 0.5 in it.
    assert (one["calls"], one["episodes"], one["users"]) == (1, 46, 28)
    assert one["gain"]["value"] == pytest.approx(10 * 0.5 / 28)
    assert two == {"calls": 2, "episodes": 4, "users": 2, "gain": None}
    # 10 gain 0.5 in one of two orders, 10 gain nothing in the order in which they have 3 calls.
    assert (three["calls"], three["episodes"], three["users"]) == (3, 30, 20)
    assert three["gain"]["value"] == pytest.approx(10 * 0.25 / 20)


def test_bins_are_quarters_of_the_users(found: dict[str, Any]) -> None:
    bounds = [(one["shortest"], one["longest"], one["users"]) for one in found["history_bins"]]
    assert bounds == [(1, 10, 10), (11, 20, 10), (21, 30, 10), (31, 40, 10)]
    # Mean calls over both orders: 3; 1 and 3; 1; 8 with 1 and 2 with 2.
    assert [one["calls"]["value"] for one in found["history_bins"]] == pytest.approx([3, 2, 1, 1.2])


def test_equal_histories_stay_in_one_bin(evaluation: EvaluationSettings) -> None:
    # The borders are 3, 7 and 7: at most 3, and at most 7.
    bins = adaptivity(CALLS, RANKS, BLIND, np.repeat([3, 5, 7], [12, 4, 24]), evaluation)["history_bins"]
    assert [(one["shortest"], one["longest"], one["users"]) for one in bins] == [(3, 3, 12), (5, 7, 28)]


def test_calls_go_with_history_and_against_what_is_known_blind(evaluation: EvaluationSettings) -> None:
    # The lists of test_correlation: 1 / sqrt(10). NDCG without tools is 1 at one call and 0.5 at two.
    calls = np.repeat([1.0, 2.0], 6)
    blind, lengths = np.repeat([1.0, 3.0], 6), np.repeat([10, 20, 5], [6, 4, 2])
    found = adaptivity(calls[None, :], calls[None, :], blind, lengths, evaluation)
    assert found["history"]["value"] == pytest.approx(1 / np.sqrt(10))
    assert found["history"]["low"] < 0.3 < found["history"]["high"]
    assert found["blind_ndcg"]["value"] == pytest.approx(-1)


def test_a_call_that_every_episode_has_is_no_extra_one(evaluation: EvaluationSettings) -> None:
    found = adaptivity(CALLS + 1, RANKS, BLIND, np.arange(40), evaluation)
    assert (found["fewest_calls"], found["extra_beyond"]) == (2, 2)
    assert values(found["extra_call"]) == pytest.approx({"wrong": 0.75, "right": 0.1, "difference": 0.65})
    # One episode without any call does not make the first call of all others an extra one.
    rare = CALLS.copy()
    rare[0, -1] = 0
    found = adaptivity(rare, RANKS, BLIND, np.arange(40), evaluation)
    assert (found["fewest_calls"], found["extra_beyond"]) == (0, 1)
    assert found["any_call"]["right"]["value"] == pytest.approx(1 - 0.5 / 20)
    assert found["extra_call"]["wrong"]["value"] == pytest.approx(0.75)


def test_a_fallback_and_a_tie_are_wrong(evaluation: EvaluationSettings) -> None:
    blind = np.array([np.inf, 1.5, 1.0])
    found = adaptivity(np.ones((1, 3)), np.ones((1, 3)), blind, np.arange(3), evaluation)
    assert (found["wrong_users"], found["right_users"]) == (2, 1)


def test_what_cannot_be_told_is_none_and_never_no_number(evaluation: EvaluationSettings) -> None:
    same = adaptivity(np.ones((2, 40)), RANKS, BLIND, np.full(40, 7), evaluation)
    assert same["history"] is same["blind_ndcg"] is same["precision"] is None
    assert same["extra_call"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    few = adaptivity(CALLS[:, :9], RANKS[:, :9], BLIND[:9], np.arange(9), evaluation)
    assert few["calls"] is few["history"] is few["mean_calls"]["wrong"] is few["mean_calls"]["difference"] is None
    # Nobody is right: there is nothing to hold the wrong against.
    wrong = adaptivity(CALLS, RANKS, np.full(40, 3.0), np.arange(40), evaluation)
    assert wrong["mean_calls"]["wrong"] is not None
    assert wrong["mean_calls"]["right"] is wrong["mean_calls"]["difference"] is wrong["restraint"] is None
    for one in (same, few, wrong):
        assert json.loads(json.dumps(one, allow_nan=False)) == one


def test_a_further_call_is_held_against_what_is_known_by_then(evaluation: EvaluationSettings) -> None:
    # 20 are third after one call, of whom 15 call again and are first then; of 20 who are first, 5 call again, twice,
    # and are third from the second on. The last 10 call nothing.
    calls = np.repeat([2, 1, 3, 1, 0], [15, 5, 5, 15, 10])
    ranks = np.repeat([1.0, 3.0, 3.0, 1.0, 7.0], [15, 5, 5, 15, 10])
    stopped = {2: ranks, 1: np.repeat([3.0, 1.0, 7.0], [20, 20, 10])}
    one, two = further_calls(calls, ranks, stopped, evaluation)
    assert (one["after"], one["wrong_users"], one["right_users"]) == (1, 20, 20)
    assert values(one["further"]) == pytest.approx({"wrong": 15 / 20, "right": 5 / 20, "difference": 10 / 20})
    # Two independent shares of 20 users each.
    half = 1.96 * np.sqrt(2 * 0.75 * 0.25 / 20)
    difference = one["further"]["difference"]
    assert (difference["low"], difference["high"]) == pytest.approx((0.5 - half, 0.5 + half), abs=0.06)
    # NDCG 0.5 to 1 for 15, and 1 to 0.5 for 5.
    assert one["gain"]["value"] == pytest.approx((15 - 5) * 0.5 / 20)
    # Of 15 who are first after two nobody calls again, of 5 who are third all do: too few to tell.
    assert (two["after"], two["wrong_users"], two["right_users"]) == (2, 5, 15)
    assert two["further"] == {"wrong": None, "right": {"value": 0.0, "low": 0.0, "high": 0.0}, "difference": None}
    assert two["gain"] is None


def test_who_calls_alike_wrong_or_right_does_not_adapt(evaluation: EvaluationSettings) -> None:
    early = np.tile([1.0, 2.0], 20)
    always = further_calls(np.full(40, 2), early, {1: early}, evaluation)[0]
    never = further_calls(np.ones(40), early, {1: early}, evaluation)[0]
    assert always["further"]["difference"] == never["further"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert (always["gain"]["value"], never["gain"]) == (0, None)
    assert further_calls(np.ones(40), early, {}, evaluation) == []
