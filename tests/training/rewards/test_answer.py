"""What a drawn label earns, worked out by hand."""

import math
from dataclasses import replace

import pytest

from recthinker.training.rewards import answer_advantage
from tests.training.rollouts import rollout

SECOND = 1 / math.log2(3)
THIRD = 1 / math.log2(4)


def test_a_drawn_label_earns_what_moving_it_to_the_front_does() -> None:
    # Three labels, B first with 0.5, the target A with 0.3, C with 0.2. B in front leaves A second, A itself makes it
    # first, C pushes it to third.
    one = replace(rollout(), scores=(math.log(0.3), math.log(0.5), math.log(0.2)), labels=("i1", "i2", "i3"))
    mean = 0.3 * 1 + 0.5 * SECOND + 0.2 * THIRD
    earned = [answer_advantage(one, drawn, 10) for drawn in range(3)]
    assert earned == pytest.approx([1 - mean, SECOND - mean, THIRD - mean])


def test_on_average_it_earns_nothing() -> None:
    one = replace(rollout(), scores=(math.log(0.6), math.log(0.4)), labels=("i1", "i2"))
    assert 0.6 * answer_advantage(one, 0, 10) + 0.4 * answer_advantage(one, 1, 10) == pytest.approx(0.0)


def test_of_equal_labels_the_one_served_before_the_target_pushes_it_no_further() -> None:
    # A and the target B are equal, A is served before it: moved to the front, it leaves the target second.
    one = replace(rollout(), scores=(math.log(0.4), math.log(0.4), math.log(0.2)), target=1, labels=("i1", "i2", "i3"))
    mean = 0.4 * SECOND + 0.4 * 1 + 0.2 * THIRD
    earned = [answer_advantage(one, drawn, 10) for drawn in range(3)]
    assert earned == pytest.approx([SECOND - mean, 1 - mean, THIRD - mean])
