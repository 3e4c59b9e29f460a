"""Implicit matrix factorization by alternating least squares, in numpy: the evaluation runs without Spark.

Source: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008; the penalty grows with a
row's items, as in Spark's ALS (Zhou et al., AAIM 2008), so that one regularization fits short and long histories.
"""

import numpy as np
from scipy import sparse

from recthinker.settings import AlsSettings

INITIAL_SPREAD = 0.1
"""Standard deviation of the first item factors."""


def als_scores(
    train: sparse.csr_matrix, known: sparse.csr_matrix, candidates: np.ndarray, settings: AlsSettings, *, seed: int
) -> np.ndarray:
    """The predicted preference for each candidate, (U, N); 0 for a user who has nothing.

    Item factors are learned from `train`; each user's factors are then solved for from `known`, the item factors held.

    Args:
        train: who has what, (V, I).
        known: what each user has, (U, I).
        candidates: item columns for each user, (U, N).
        settings: rank, iterations, regularization, and alpha, which gives what a user has a confidence of 1 + alpha.
        seed: seed of the first factors.
    """
    items = np.random.default_rng(seed).normal(0, INITIAL_SPREAD, (train.shape[1], settings.rank))
    by_item = train.T.tocsr()
    for _ in range(settings.iterations):
        users = solve_factors(train, items, settings)
        items = solve_factors(by_item, users, settings)
    scores: np.ndarray = np.einsum("uf,unf->un", solve_factors(known, items, settings), items[candidates])
    return scores


def solve_factors(rows: sparse.csr_matrix, others: np.ndarray, settings: AlsSettings) -> np.ndarray:
    """The factors of each row that fit it best with the other side held, (R, F).

    With Y the other side's factors, Y_r those of what row r has, and n_r their number:
    x_r = (Y'Y + alpha Y_r'Y_r + regularization n_r I)^-1 (1 + alpha) Y_r' 1.
    """
    gram = others.T @ others
    penalty = settings.regularization * np.eye(others.shape[1])
    factors = np.zeros((rows.shape[0], others.shape[1]))
    for row in np.flatnonzero(np.diff(rows.indptr)):
        has = others[rows.indices[rows.indptr[row] : rows.indptr[row + 1]]]
        left = gram + settings.alpha * has.T @ has + len(has) * penalty
        factors[row] = np.linalg.solve(left, (1 + settings.alpha) * has.sum(axis=0))
    return factors
