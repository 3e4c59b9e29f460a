"""Simple systems on the same candidates: random, popularity, ItemKNN. Each gives scores, (U, N), higher is better."""

import numpy as np
from scipy import sparse


def history_matrix(histories: list[list[int]], item_count: int) -> sparse.csr_matrix:
    """A 0/1 matrix of who has what, (U, I), from each user's item columns."""
    rows = np.repeat(np.arange(len(histories)), [len(history) for history in histories])
    columns = np.array([item for history in histories for item in history], np.int64)
    matrix = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(histories), item_count))
    matrix.data[:] = 1
    return matrix


def random_scores(candidates: np.ndarray, *, seed: int) -> np.ndarray:
    """Uniform noise."""
    return np.random.default_rng(seed).random(candidates.shape)


def popularity_scores(matrix: sparse.csr_matrix, candidates: np.ndarray) -> np.ndarray:
    """How many users have each candidate."""
    counts: np.ndarray = np.asarray(matrix.sum(axis=0)).ravel()[candidates]
    return counts


def itemknn_scores(matrix: sparse.csr_matrix, candidates: np.ndarray, *, neighbours: int) -> np.ndarray:
    """Sum of cosine similarities between a candidate and the user's items, over the candidate's nearest neighbours.

    Source: Deshpande & Karypis, Item-based top-N recommendation algorithms, TOIS 2004.

    Args:
        matrix: row u holds the items of user u, (U, I).
        candidates: item columns for each user, (U, N).
        neighbours: neighbours kept per item.
    """
    norms = np.sqrt(np.asarray(matrix.sum(axis=0)).ravel())
    scores = np.zeros(candidates.shape)
    columns = matrix.tocsc()
    unique, inverse = np.unique(candidates, return_inverse=True)
    inverse = inverse.reshape(candidates.shape)
    together = (columns[:, unique].T @ matrix).toarray()
    cosine = together / np.maximum(np.outer(norms[unique], norms), 1e-9)
    cosine[np.arange(len(unique)), unique] = 0
    if neighbours < cosine.shape[1]:
        least = np.partition(cosine, -neighbours, axis=1)[:, -neighbours][:, None]
        cosine[cosine < least] = 0
    for user, wanted in enumerate(inverse):
        has = matrix.indices[matrix.indptr[user] : matrix.indptr[user + 1]]
        scores[user] = cosine[np.ix_(wanted, has)].sum(axis=1)
    return scores
