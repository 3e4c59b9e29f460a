import numpy as np
import pytest

from recthinker.evaluation.metrics import chance, hit_rate, ndcg, reciprocal_rank, target_ranks
from recthinker.evaluation.significance import bootstrap_mean


def test_rank_counts_better_candidates_and_half_of_the_ties() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.7, 0.7], [1.0, 1.0, 1.0]])
    # 2nd of three; tied with one other for places 1 and 2; tied with both others for places 1 to 3.
    assert target_ranks(scores, np.array([1, 1, 0])).tolist() == [2.0, 1.5, 2.0]


def test_ndcg_is_one_at_the_top_and_zero_below_the_cut_off() -> None:
    # 1/log2(2) = 1, 1/log2(4) = 0.5, rank 11 is cut off.
    assert ndcg(np.array([1.0, 3.0, 11.0]), 10).tolist() == [1.0, 0.5, 0.0]


def test_hit_rate_grows_with_k() -> None:
    ranks = np.array([1.0, 4.0, 12.0])
    assert [hit_rate(ranks, k).sum() for k in (1, 5, 20)] == [1, 2, 3]


def test_reciprocal_rank_has_no_cut_off() -> None:
    assert reciprocal_rank(np.array([1.0, 4.0, 20.0])).tolist() == [1, 0.25, 0.05]


def test_a_list_that_could_not_be_used_scores_nothing() -> None:
    unusable = np.array([np.inf])
    assert [ndcg(unusable, 10), hit_rate(unusable, 10), reciprocal_rank(unusable)] == [[0], [0], [0]]


@pytest.mark.parametrize(("m", "ndcg_at_10", "hr"), [(10, 0.4544, 1.0), (20, 0.2272, 0.5), (100, 0.0454, 0.1)])
def test_chance_is_what_a_random_order_gets(m: int, ndcg_at_10: float, hr: float) -> None:
    assert chance(m, 10)[:2] == (pytest.approx(ndcg_at_10, abs=5e-5), hr)


def test_chance_of_mrr_is_the_mean_reciprocal_rank() -> None:
    assert chance(4, 2)[2] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_random_scores_reach_chance_on_average() -> None:
    scores = np.random.default_rng(0).random((20_000, 20))
    ranks = target_ranks(scores, np.zeros(20_000, np.int64))
    assert ndcg(ranks, 10).mean() == pytest.approx(0.2272, abs=0.006)


def test_bootstrap_interval_holds_the_mean_and_shrinks_with_users() -> None:
    rng = np.random.default_rng(1)
    few, many = (bootstrap_mean(rng.normal(0.3, 1.0, n), draws=2000, seed=5) for n in (50, 5000))
    assert few.low < few.mean < few.high
    # Half-width 1.96 / sqrt(n): 0.277 and 0.028.
    assert (few.high - few.low) / 2 == pytest.approx(0.277, rel=0.2)
    assert (many.high - many.low) / 2 == pytest.approx(0.0277, rel=0.2)


def test_bootstrap_is_reproducible() -> None:
    values = np.arange(10.0)
    assert bootstrap_mean(values, draws=100, seed=1) == bootstrap_mean(values, draws=100, seed=1)
