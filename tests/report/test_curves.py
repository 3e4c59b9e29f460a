import math

import numpy as np
import pytest

from recthinker.report.curves import MOST_POINTS, axis_ticks, charts, draw, smoothed, written
from recthinker.report.watched import Watched, describe

SOME = Watched("Some", "", 0)


def test_a_line_is_the_mean_of_the_values_around() -> None:
    # Three around each; at the ends the two that there are.
    assert smoothed(np.array([0.0, 3.0, 6.0, 0.0]), 3).tolist() == [1.5, 3.0, 3.0, 3.0]
    assert smoothed(np.array([1.0, 5.0]), 1).tolist() == [1.0, 5.0]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 8.0, [0, 2, 4, 6, 8]),
        (0.61, 0.79, [0.6, 0.65, 0.7, 0.75, 0.8]),
        (-0.03, 0.01, [-0.03, -0.02, -0.01, 0, 0.01]),
        (2.0, 2.0, [1, 1.5, 2, 2.5, 3]),
        (0.0, 0.0, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round_and_span_the_values(low: float, high: float, ticks: list[float]) -> None:
    assert axis_ticks(low, high, 4) == pytest.approx(ticks)


def test_ticks_are_written_with_the_digits_that_tell_them_apart() -> None:
    assert [written(tick, [0, 500]) for tick in (0, 500, 1000)] == ["0", "500", "1,000"]
    assert [written(tick, [0, 0.05]) for tick in (-0.05, 0.1)] == ["−0.05", "0.10"]
    assert written(2e-05, [0, 1e-05]) == "2e−05"
    # What is left of adding up tenths is no number of its own.
    assert written(-1e-18, [0, 0.1]) == "0"


def test_points_stand_where_step_and_value_put_them() -> None:
    chart = draw("some", [(10, 0.0), (20, 4.0), (30, 1.0)], SOME)
    assert chart is not None
    # The axis runs from 0 to 4, y from the top.
    assert chart.dots == "M0 100h0M50 0h0M100 75h0"
    assert chart.line == "M0 100L50 0L100 75"
    assert (chart.first_step, chart.last_step, chart.first, chart.last) == (10, 30, 0.0, 1.0)
    assert [(tick.label, tick.place) for tick in chart.y_ticks][0::4] == [("0", 100), ("4", 0)]


def test_a_single_point_is_a_chart() -> None:
    chart = draw("some", [(7, 2.0)], SOME)
    assert chart is not None
    assert chart.dots == "M0 50h0"


def test_values_that_are_no_number_are_left_out_and_counted() -> None:
    chart = draw("some", [(1, 1.0), (2, math.nan), (3, math.inf), (4, 2.0)], SOME)
    assert chart is not None
    assert chart.left_out == 2
    assert "nan" not in chart.dots + chart.line
    assert draw("some", [(1, math.nan)], SOME) is None


def test_of_many_points_some_are_drawn_and_all_are_averaged() -> None:
    curve = [(step, float(step % 2)) for step in range(2 * MOST_POINTS + 1)]
    chart = draw("some", curve, SOME)
    assert chart is not None
    assert chart.every == 3
    # Every third of 481, from the first, which is the last too.
    assert chart.dots.count("M") == 161
    # Only even steps stand at the low end: without the odd ones the line would stay there.
    assert chart.last == pytest.approx(0.5, abs=0.05)


def test_curves_are_read_in_one_order_and_unknown_ones_come_last() -> None:
    curve = [(1, 1.0), (2, 2.0)]
    drawn = charts("rl", {"strange_thing": curve, "loss": curve, "ndcg": curve, "empty": []})
    assert [(chart.watched.title, chart.watched.unit) for chart in drawn] == [
        ("NDCG", "mean of all rollouts drawn"),
        ("Loss", "of calls and answers; its size says little"),
        ("strange thing", ""),
    ]


def test_the_unit_of_a_loss_is_that_of_its_stage() -> None:
    assert describe("base", "loss").unit == "nats per token"
    assert describe("sft", "loss").unit == "nats per trained token"
