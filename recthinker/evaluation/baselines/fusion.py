"""Reciprocal rank fusion of the evidence that the agent's tools show: is the agent more than the sum of its tools?

Source: Cormack, Clarke, Buettcher, Reciprocal Rank Fusion outperforms Condorcet and individual rank learning methods,
SIGIR 2009.
"""

from collections.abc import Iterable

import numpy as np
from scipy.stats import rankdata

RRF_K = 60
"""The constant of the paper."""


def fusion_scores(evidence: Iterable[np.ndarray], *, k: int = RRF_K) -> np.ndarray:
    """Sum over the lists of 1 / (k + rank), (U, N).

    A candidate without evidence (0 or less) is in no list, and gets nothing from it; ties share their mean rank.

    Args:
        evidence: scores of one kind each, higher is better, (U, N).
        k: how little the first ranks count for more than the next.
    """
    total: np.ndarray = np.sum(
        [np.where(scores > 0, 1 / (k + rankdata(-scores, axis=1)), 0.0) for scores in evidence], axis=0
    )
    return total
