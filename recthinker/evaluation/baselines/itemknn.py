"""ItemKNN: items that the same people have.

Source: Deshpande & Karypis, Item-based top-N recommendation algorithms, TOIS 2004.
"""

import numpy as np
from scipy import sparse


def itemknn_scores(
    train: sparse.csr_matrix, known: sparse.csr_matrix, candidates: np.ndarray, *, neighbours: int
) -> np.ndarray:
    """Sum of cosine similarities between a candidate and the user's items, over the candidate's nearest neighbours.

    Args:
        train: who has what, (V, I).
        known: what each user has, (U, I).
        candidates: item columns for each user, (U, N).
        neighbours: neighbours kept per item.
    """
    norms = np.sqrt(np.asarray(train.sum(axis=0)).ravel())
    unique, inverse = np.unique(candidates, return_inverse=True)
    together = (train.tocsc()[:, unique].T @ train).toarray()
    cosine = together / np.maximum(np.outer(norms[unique], norms), 1e-9)
    cosine[np.arange(len(unique)), unique] = 0
    if neighbours < cosine.shape[1]:
        least = np.partition(cosine, -neighbours, axis=1)[:, -neighbours][:, None]
        cosine[cosine < least] = 0
    scores = np.zeros(candidates.shape)
    for user, wanted in enumerate(inverse.reshape(candidates.shape)):
        has = known.indices[known.indptr[user] : known.indptr[user + 1]]
        scores[user] = cosine[np.ix_(wanted, has)].sum(axis=1)
    return scores
