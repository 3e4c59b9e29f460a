"""Ranking metrics with one relevant item. Rank 1 is the best; ties between scores count against the system.

The rank of a list that could not be used is infinite: it scores 0 in every metric, and is never dropped.
"""

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
    """NDCG@k: 1 / log2(1 + rank) up to rank k, else 0; in [0, 1], shaped as `ranks`.

    With one relevant item the best possible gain is 1, so that nothing is left to normalise.
    Source: Jarvelin & Kekalainen, Cumulated gain-based evaluation of IR techniques, TOIS 2002.
    """
    return np.where(ranks <= k, 1 / np.log2(1 + ranks), 0.0)


def hit_rate(ranks: np.ndarray, k: int) -> np.ndarray:
    """HR@k: 1 where the rank is at most k, else 0, shaped as `ranks`; with one relevant item the same as recall@k."""
    return (ranks <= k).astype(float)


def reciprocal_rank(ranks: np.ndarray) -> np.ndarray:
    """1 / rank, whose mean is MRR; in (0, 1], 0 for an infinite rank, shaped as `ranks`.

    Source: Voorhees, The TREC-8 question answering track report, 1999.
    """
    reciprocal: np.ndarray = 1 / ranks
    return reciprocal


def chance(candidates: int, k: int) -> tuple[float, float, float]:
    """NDCG@k, HR@k and MRR of a random order with one relevant item among `candidates`."""
    ranks = np.arange(1, candidates + 1)
    return float(ndcg(ranks, k).mean()), float(hit_rate(ranks, k).mean()), float(reciprocal_rank(ranks).mean())
