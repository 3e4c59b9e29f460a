"""Spearman's rank correlation, of many lists at once."""

import numpy as np
from scipy.stats import rankdata


def spearman(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each row of `left` with that of `right`, both (D, N), in [-1, 1], (D,): that of the
    ranks, the mean rank among equals. A row without any spread goes with nothing: 0.
    """
    ranks, others = (rankdata(values, axis=1) for values in (left, right))
    ranks, others = ranks - ranks.mean(axis=1, keepdims=True), others - others.mean(axis=1, keepdims=True)
    scale = np.sqrt((ranks**2).sum(axis=1) * (others**2).sum(axis=1))
    product = (ranks * others).sum(axis=1)
    found: np.ndarray = np.divide(product, scale, out=np.zeros(len(left)), where=scale > 0)
    return found
