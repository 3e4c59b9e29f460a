"""EASE: a linear item-to-item model with a closed form.

Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019, https://arxiv.org/abs/1905.03375.
"""

import numpy as np
from scipy import sparse


def ease_scores(train: sparse.csr_matrix, known: sparse.csr_matrix, candidates: np.ndarray, *, l2: float) -> np.ndarray:
    """Each candidate's weight in x B, (U, N), with x the user's items.

    P = (X'X + l2 I)^-1; B = -P / diag(P), column by column, with a diagonal of 0, so that no item predicts itself.
    Takes memory for two dense (I, I) matrices and time as I^3: for a few thousand items.

    Args:
        train: X, who has what, (V, I).
        known: what each user has, (U, I).
        candidates: item columns for each user, (U, N).
        l2: weight of the penalty on B.
    """
    gram = (train.T @ train).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += l2
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    weights[np.diag_indices_from(weights)] = 0
    scores: np.ndarray = np.take_along_axis(known @ weights, candidates, axis=1)
    return scores
