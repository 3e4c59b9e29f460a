import numpy as np
import pytest

from recthinker.evaluation.significance import Interval, bootstrap, bootstrap_difference


def test_what_belongs_to_one_user_is_drawn_together() -> None:
    values = np.arange(1.0, 31.0)
    found = bootstrap(lambda left, right: left.sum(axis=1) / right.sum(axis=1), 2 * values, values, draws=700, seed=3)
    # Twice as much for everybody, whoever is drawn.
    assert found == Interval(2.0, 2.0, 2.0)


def test_two_groups_are_resampled_each_by_itself() -> None:
    left, right = np.tile([0.0, 1.0], 200), np.tile([0.0, 0.0, 0.0, 1.0], 50)
    found = bootstrap_difference(left, right, draws=4000, seed=3)
    assert found.mean == 0.25
    # Standard error: the root of 0.25 / 400 + 0.1875 / 200.
    half = 1.96 * np.sqrt(0.25 / 400 + 0.1875 / 200)
    assert (found.low, found.high) == pytest.approx((0.25 - half, 0.25 + half), abs=0.006)


def test_groups_without_spread_differ_by_the_same_in_every_draw() -> None:
    assert bootstrap_difference(np.full(12, 3.0), np.full(30, 1.0), draws=200, seed=1) == Interval(2.0, 2.0, 2.0)
