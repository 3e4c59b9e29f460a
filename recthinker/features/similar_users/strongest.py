"""A user's most similar users, from what each of the user's items links.

Users of like size are one matrix, a user a row, which numpy sorts row by row: several times faster than sorting pairs.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recthinker.features.similar_users.groups import group_starts, whole_groups

NEIGHBOURS = "user bigint, neighbours array<struct<user: bigint, similarity: double>>"
"""One row a user who is linked to anybody; users are hashes."""

Longs = npt.NDArray[np.int64]


def strongest(links: Iterator[pa.RecordBatch], *, top_k: int, seed: int) -> Iterator[pa.RecordBatch]:
    """Rows of `NEIGHBOURS`: the `top_k` users of highest similarity, most similar first, ties by seeded hash.

    Args:
        links: rows of `links.LINKS`, sorted by user.
        top_k: neighbours kept.
        seed: seed of the hash that breaks ties.
    """
    for rows in _of_like_size(whole_groups(links, "user")):
        starts = group_starts(rows["user"])
        users, units = rows["user"].to_numpy()[starts], rows["units"].to_numpy()
        neighbours, weights = _totals(users, *_entries(rows, starts))
        row, column = _ranked(users, neighbours, weights, top_k, seed)
        similarity = weights[row, column] / np.add.reduceat(units, starts)[row]
        yield _lists(users, row, neighbours[row, column], similarity)


def _of_like_size(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows by size of user: all with 1 item, with 2 or 3, with 4 to 7, ..."""
    for rows in batches:
        items = np.diff(np.append(group_starts(rows["user"]), len(rows)))
        size = np.repeat(np.frexp(items)[1], items)
        for one in np.unique(size):
            yield rows.filter(pa.array(size == one))


def _entries(rows: pa.RecordBatch, starts: Longs) -> tuple[Longs, Longs, Longs]:
    """How many users are linked to each user and, one after the other, their hashes and weight units."""
    linked = rows["linked"]
    ends = np.frombuffer(linked.buffers()[1], np.int32)[linked.offset : linked.offset + len(linked) + 1]
    hashes = np.frombuffer(linked.buffers()[2] or b"", np.int64)[ends[0] // 8 : ends[-1] // 8]
    n = np.diff(ends) // 8
    return np.add.reduceat(n, starts), hashes, np.repeat(rows["units"].to_numpy(), n)


def _totals(users: Longs, n: Longs, hashes: Longs, units: Longs) -> tuple[Longs, Longs]:
    """Two matrices, a user a row: linked users in ascending order, and the summed units of each at its first place,
    0 elsewhere.
    """
    is_linked = np.arange(max(n.max(), 1)) < n[:, None]
    # Room that a row does not need holds the user's own hash, at weight 0.
    neighbours = np.repeat(users[:, None], is_linked.shape[1], axis=1)
    weights = np.zeros_like(neighbours)
    neighbours[is_linked], weights[is_linked] = hashes, units
    order = np.argsort(neighbours, axis=1)
    neighbours = np.take_along_axis(neighbours, order, axis=1)
    weights = np.take_along_axis(weights, order, axis=1).ravel()
    is_first = np.ones(neighbours.shape, dtype=bool)
    is_first[:, 1:] = neighbours[:, 1:] != neighbours[:, :-1]
    first = np.flatnonzero(is_first)
    totals = np.zeros_like(weights)
    totals[first] = np.add.reduceat(weights, first)
    return neighbours, totals.reshape(neighbours.shape)


def _ranked(users: Longs, neighbours: Longs, weights: Longs, top_k: int, seed: int) -> tuple[Longs, Longs]:
    """Rows and columns of the `top_k` heaviest of each row, heaviest first."""
    spare = max(weights.shape[1] - top_k, 0)
    # Cheap first: whatever is lighter than a row's top_k-th cannot be among them.
    least = np.sort(weights, axis=1)[:, spare]
    row, column = np.nonzero(weights >= np.maximum(least, 1)[:, None])
    ties = _mixed(_mixed(users[row], np.array([seed])), neighbours[row, column])
    order = np.lexsort((ties, -weights[row, column], row))
    place = np.arange(len(row)) - np.searchsorted(row, row)
    kept = order[place < top_k]
    return row[kept], column[kept]


def _mixed(values: Longs, salt: Longs) -> Longs:
    """A hash of two numbers: the finalizer of splitmix64 over their combination."""
    bits = values.astype(np.uint64) ^ (salt.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Longs = (bits ^ (bits >> np.uint64(31))).view(np.int64)
    return mixed


def _lists(users: Longs, row: Longs, neighbours: Longs, similarity: npt.NDArray[np.float64]) -> pa.RecordBatch:
    """Rows of `NEIGHBOURS`; `row` is ascending."""
    some, starts = np.unique(row, return_index=True)
    edges = pa.StructArray.from_arrays([neighbours, similarity], ["user", "similarity"])
    lists = pa.ListArray.from_arrays(np.append(starts, len(row)).astype(np.int32), edges)
    return pa.RecordBatch.from_arrays([pa.array(users[some]), lists], ["user", "neighbours"])
