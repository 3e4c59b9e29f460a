import numpy as np
import pytest

from recthinker.evaluation import Segment, compare, compare_segments
from recthinker.evaluation.comparison import user_ndcg
from recthinker.settings import Settings

FIRST, THIRD = np.full((1, 50), 1.0), np.full((1, 50), 3.0)
"""Ranks of the target for 50 users."""


def test_systems_are_measured_on_the_same_lists_and_paired(settings: Settings) -> None:
    found = compare({"agent": FIRST, "other": THIRD}, settings.evaluation, subject="agent", width=3)
    assert [system["ndcg"] for system in found["systems"]] == [1.0, 0.5]
    assert [system["mrr"] for system in found["systems"]] == [1.0, pytest.approx(1 / 3)]
    (paired,) = found["paired"]
    assert paired["against"] == "other"
    # The same difference for every user: the interval has no width, and there is no spread to measure it by.
    assert (paired["low"], paired["difference"], paired["high"]) == (0.5, 0.5, 0.5)
    assert (paired["sd"], paired["effect"]) == (0.0, 0.0)
    assert found["users"] == 50
    assert found["chance"]["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_effect_is_the_difference_in_its_own_spread(settings: Settings) -> None:
    half = np.where(np.arange(50) < 25, 1.0, 3.0)[None, :]
    (paired,) = compare({"agent": half, "other": THIRD}, settings.evaluation, subject="agent", width=3)["paired"]
    # Differences of 0.5 and 0, half each: mean 0.25, sd 0.25.
    assert (paired["difference"], paired["sd"], paired["effect"]) == (0.25, 0.25, 1.0)


def test_a_user_counts_with_the_mean_over_the_orders() -> None:
    orders = np.array([[1.0, 3.0], [3.0, 3.0]])
    assert user_ndcg({"agent": orders}, 10)["agent"].tolist() == [0.75, 0.5]


def test_segments_have_their_own_figures_and_pairs(settings: Settings) -> None:
    ranks = {"agent": np.array([[1.0, 3.0, 3.0]]), "other": np.array([[3.0, 3.0, 1.0]])}
    part = Segment("rare targets", "some rule", np.array([True, True, False]))
    (found,) = compare_segments(ranks, [part], settings.evaluation, subject="agent")
    assert (found["name"], found["rule"], found["users"]) == ("rare targets", "some rule", 2)
    assert found["systems"] == [{"name": "agent", "ndcg": 0.75}, {"name": "other", "ndcg": 0.5}]
    assert found["paired"][0]["difference"] == 0.25
