"""The same order for everybody: how many users have an item."""

import numpy as np
from scipy import sparse


def popularity_scores(train: sparse.csr_matrix, candidates: np.ndarray) -> np.ndarray:
    """How many users have each candidate, (U, N)."""
    counts: np.ndarray = np.asarray(train.sum(axis=0)).ravel()[candidates]
    return counts
