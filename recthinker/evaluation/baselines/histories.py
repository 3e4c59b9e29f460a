"""Who has what, as a sparse matrix."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse


def history_matrix(histories: Sequence[Sequence[int]], item_count: int) -> sparse.csr_matrix:
    """A 0/1 matrix of who has what, (U, I), from each user's item columns; an item twice counts once."""
    rows = np.repeat(np.arange(len(histories)), [len(history) for history in histories])
    columns = np.array([item for history in histories for item in history], np.int64)
    matrix = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(histories), item_count))
    matrix.data[:] = 1
    return matrix
