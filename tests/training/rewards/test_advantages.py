"""What may never happen in a group, whatever its rollouts are; and a few groups worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recthinker.settings import RlSettings, load_settings
from recthinker.training.rewards import group_advantages
from recthinker.training.rollout import Rollout
from tests.training.rollouts import rollout

K = 10


def settings(**changes: object) -> RlSettings:
    return load_settings("test", environ={}).rl.model_copy(update=changes)


def advantages(*group: Rollout, **changes: object) -> list[float]:
    return [float(value) for value in group_advantages(group, settings(**changes), K).values]


rollouts = st.builds(
    rollout,
    # Few ranks, so that many are equal: only then does efficiency speak.
    rank=st.sampled_from([None, 1, 1, 2, 2, 3, 12]),
    calls=st.integers(0, 5),
    broken=st.integers(0, 2),
)
groups = st.lists(rollouts, min_size=1, max_size=8)
algorithms = st.sampled_from(["grpo", "dr_grpo", "dapo"])
weights = st.sampled_from([0.0, 0.3, 5.0])


def worth(one: Rollout) -> float:
    """What ranks it before all else: the NDCG of its answer, below any where there is none."""
    if not one.scores:
        return -1.0
    return 1 / math.log2(1 + one.rank) if one.rank <= K else 0.0


@given(groups, algorithms, weights)
def test_the_best_ranking_is_never_held_against_the_model(group: list[Rollout], algorithm: str, weight: float) -> None:
    found = advantages(*group, algorithm=algorithm, efficiency=weight)
    best = max(map(worth, group))
    assert all(value >= 0 for value, one in zip(found, group, strict=True) if worth(one) == best)


@given(groups, algorithms, weights)
def test_fewer_calls_never_beat_a_better_ranking(group: list[Rollout], algorithm: str, weight: float) -> None:
    found = advantages(*group, algorithm=algorithm, efficiency=weight)
    for value, one in zip(found, group, strict=True):
        for other_value, other in zip(found, group, strict=True):
            if worth(one) > worth(other):
                assert value > other_value


@given(rollouts, st.integers(1, 8))
def test_a_group_of_one_kind_teaches_nothing(one: Rollout, count: int) -> None:
    found = group_advantages([one] * count, settings(), K)
    assert found.is_flat
    assert not found.values.any()


@given(groups)
def test_calling_less_wins_nothing_for_a_worse_answer(group: list[Rollout]) -> None:
    """An answer that is not near the best has the advantage that it would have at any number of calls."""
    best = max(map(worth, group))
    eager = [one if worth(one) >= best - 0.01 else rollout(rank_of(one), 5) for one in group]
    assert advantages(*group) == pytest.approx(advantages(*eager))


def rank_of(one: Rollout) -> int | None:
    return int(one.rank) if one.scores else None


def test_accuracy_is_told_from_the_group_s_mean() -> None:
    # NDCG 1 and 1 / log2(3) = 0.6309; their mean is 0.8155.
    assert advantages(rollout(1), rollout(2)) == pytest.approx([0.1845, -0.1845], abs=1e-4)


def test_among_equals_the_one_with_fewest_calls_is_drawn_to_and_none_pushed_away() -> None:
    # Fewest is 1: 1 call earns sin(pi / 2) = 1, 3 earn sin(3 pi / 4) = 0.7071; the mean is 0.8536.
    found = advantages(rollout(1, 1), rollout(1, 3), efficiency=0.3)
    assert found == pytest.approx([0.3 * 0.1464, 0.0], abs=1e-4)


def test_no_call_at_all_is_best_only_where_it_ranks_as_well() -> None:
    # Fewest is 0: no call earns cos(0) = 1, 2 earn cos(2 pi / 6) = 0.5.
    assert advantages(rollout(1, 0), rollout(1, 2), efficiency=0.3) == pytest.approx([0.3 * 0.25, 0.0])
    lazy, keen = advantages(rollout(3, 0), rollout(1, 2), efficiency=5.0)
    assert lazy < 0 < keen


def test_a_slow_best_among_many_is_not_pushed_away() -> None:
    # Of five the accuracy of the best is a fifth of the gap to the worse one; five calls against one cost more.
    group = [rollout(1, 1), rollout(1, 1), rollout(1, 1), rollout(1, 5), rollout(2, 1)]
    assert advantages(*group, efficiency=5.0)[3] == 0.0


def test_a_broken_call_counts_as_a_call_more() -> None:
    assert advantages(rollout(1, 1), rollout(1, 1, broken=1))[0] > 0


def test_the_order_of_unequal_rankings_outlives_any_weight() -> None:
    slow, worse = advantages(rollout(1, 5), rollout(1, 1), rollout(2, 0), efficiency=100.0)[::2]
    assert slow > worse


def test_grpo_divides_by_the_group_s_spread() -> None:
    # Spread of (1, 0.6309) is 0.1845.
    found = advantages(rollout(1), rollout(2), algorithm="grpo")
    assert found == pytest.approx([0.1845 / (0.1845 + 1e-4), -0.1845 / (0.1845 + 1e-4)], abs=1e-3)


@pytest.mark.parametrize("status", ["fallback_error", "fallback_timeout"])
def test_a_fault_of_ours_is_left_out(status: str) -> None:
    found = group_advantages([rollout(1), rollout(2), rollout(None, status=status)], settings(), K)
    assert list(found.values) == pytest.approx([0.1845, -0.1845, 0.0], abs=1e-4)
    assert all(np.isnan(part[2]) for part in found.parts.values())


def test_a_group_of_our_faults_alone_teaches_nothing() -> None:
    assert advantages(rollout(None, status="fallback_error")) == [0.0]


def test_an_episode_without_an_answer_is_below_the_last_rank() -> None:
    none, last = advantages(rollout(None), rollout(12))
    assert (none, last) == (pytest.approx(-0.5), pytest.approx(0.5))
