from dataclasses import replace

import numpy as np
import pytest

from recthinker.evaluation import Reason, UserFigures, decide
from recthinker.settings import load_settings
from tests.benchmarks.planted import CONTROL, PLANTED, Told, mixed
from tests.benchmarks.planted_models import PLACE_DECAY, drawn_place, first_tools, known_users
from tests.evaluation.test_gate import CHAMPION, OTHERS, USERS

SETTINGS = load_settings("test", environ={})


def told(figures: UserFigures, *own: Reason) -> Told:
    decision = decide(figures, CHAMPION, SETTINGS.gate, SETTINGS.evaluation, trained_on=OTHERS)
    return Told("one", figures, decision, own)


def test_what_the_copier_is_taught_falls_with_the_place() -> None:
    rng = np.random.default_rng(1)
    counts = np.bincount([drawn_place(3, rng) for _ in range(4000)], minlength=3)
    # Odds 1, d, d^2: each place is drawn d times as often as the one before it.
    assert counts[1] / counts[0] == pytest.approx(PLACE_DECAY, abs=0.08)
    assert counts[2] / counts[1] == pytest.approx(PLACE_DECAY, abs=0.08)


def test_who_calls_everything_stops_at_the_limit() -> None:
    assert first_tools(["a", "b", "c"], 2) == ["a", "b"]
    assert first_tools(["a"], 2) == ["a"]


def test_a_smaller_share_known_by_heart_is_the_first_of_a_larger_one() -> None:
    few, many = (known_users(200, SETTINGS, share) for share in (0.1, 0.2))
    assert len(many) == 40
    assert few.tolist() == many[:20].tolist()


def test_a_mixed_model_is_each_of_two_where_it_should_be() -> None:
    blind = replace(CHAMPION, ndcg=np.ones(USERS), calls=np.zeros(USERS), blind_ndcg=np.ones(USERS))
    is_known = np.arange(USERS) < 3
    found = mixed(blind, CHAMPION, is_known)
    assert found.ndcg[:3].tolist() == [1, 1, 1]
    assert found.ndcg[3:].tolist() == CHAMPION.ndcg[3:].tolist()
    assert found.calls.sum() == 2.0 * (USERS - 3)
    assert found.blind_ndcg[2:4].tolist() == [1, 0.25]
    assert found.seconds_per_user == CHAMPION.seconds_per_user


def test_the_gate_is_right_where_its_first_reason_is_the_planted_one() -> None:
    copier = replace(CHAMPION, order_correlation=np.ones(USERS))
    # Also not better, but that is not what is wrong with it.
    assert told(copier, Reason.COPIES_ORDER).is_right
    assert not told(copier, Reason.NOT_BETTER).is_right


def test_a_planted_one_that_is_promoted_is_wrong_and_the_control_is_right() -> None:
    better = replace(CHAMPION, ndcg=CHAMPION.ndcg + 0.05)
    assert not told(better, Reason.KNOWS_BLIND).is_right
    assert told(better).is_right
    assert not told(CHAMPION).is_right


def test_every_planted_one_has_a_name_and_a_reason_of_its_own() -> None:
    names = [one.name for one in PLANTED]
    assert len({*names, CONTROL}) == len(names) + 1
    assert all(one.own for one in PLANTED)
