"""Ranking metrics with one relevant item. Rank 1 is the best; ties between scores count against the system."""

import numpy as np


def target_ranks(scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Rank of each row's target, 1 = best, (U,).

    Of candidates with the target's score half are taken to come first, so that a system gains nothing by giving all
    the same score.

    Args:
        scores: a row of candidate scores for each user, higher is better, (U, N).
        target: the target's column, (U,).
    """
    own = scores[np.arange(len(scores)), target][:, None]
    ranks: np.ndarray = 1 + (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2
    return ranks


def ndcg(ranks: np.ndarray, k: int) -> np.ndarray:
    """1 / log2(1 + rank) up to rank k, else 0; in [0, 1], (U,)."""
    return np.where(ranks <= k, 1 / np.log2(1 + ranks), 0.0)


def hit_rate(ranks: np.ndarray, k: int) -> np.ndarray:
    """1 where the rank is at most k, else 0, (U,)."""
    return (ranks <= k).astype(float)


def chance(candidates: int, k: int) -> tuple[float, float]:
    """NDCG@k and HR@k of a random order with one relevant item among `candidates`."""
    top = np.arange(1, min(k, candidates) + 1)
    return float((1 / np.log2(1 + top)).sum() / candidates), len(top) / candidates
