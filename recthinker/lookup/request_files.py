"""The request rows of a snapshot: candidates and history as codes, the user's profile, counts over similar users."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from recthinker.errors import SnapshotError
from recthinker.lookup.encode import int_lists, list_array, row_numbers
from recthinker.lookup.feature_rows import FeatureRows
from recthinker.lookup.files import HASH

USERS_AT_ONCE = 4096
"""Requests whose similar users are counted in one sparse product; bounds memory."""


def request_rows(requests: pa.Table, ids: pa.Array, features: FeatureRows, min_users: int) -> pa.Table:
    """The requests with codes for ids, their user's profile, and the counts over similar users."""
    candidates, history = list_array(requests["candidates"]), list_array(requests["history"])
    codes = row_numbers(candidates.values, ids)
    if (codes < 0).any():
        stranger = candidates.values[int(np.argmax(codes < 0))].as_py()
        raise SnapshotError(
            f"candidate {stranger!r} is not in item_metadata; build features and candidates of the same D"
        )
    history_codes = row_numbers(history.values, ids)
    offsets = candidates.offsets.to_numpy()
    similar = _similar_counts(requests["user_id"], offsets, codes, ids, features, min_users)
    profile = features.user_profile
    where = pc.index_in(requests["user_id"], value_set=profile["user_id"].combine_chunks())
    return pa.table(
        {
            HASH: requests[HASH],
            "key": requests["key"],
            "user_id": requests["user_id"],
            "candidates": int_lists(offsets, codes),
            "candidate_sources": requests["candidate_sources"],
            "similar_counts": int_lists(offsets, similar),
            "history": int_lists(history.offsets.to_numpy(), history_codes),
            "event_count": pa.array(np.diff(history.offsets.to_numpy()), pa.int64()),
            "top_categories": _or_empty(profile["top_categories"].take(where)),
            "attributes": _or_empty(profile["attributes"].cast(pa.map_(pa.string(), pa.string())).take(where)),
            "mean_rating": pc.fill_null(profile["mean_rating"].take(where), float("nan")),
        }
    )


def _or_empty(column: pa.ChunkedArray) -> pa.Array:
    """Nulls of a nested column as empty."""
    return pa.array([value or [] for value in column.to_pylist()], column.type)


def _similar_counts(
    users: pa.ChunkedArray,
    offsets: np.ndarray,
    candidates: np.ndarray,
    ids: pa.Array,
    features: FeatureRows,
    min_users: int,
) -> np.ndarray:
    """For each candidate of each request, how many of the user's similar users have it; 0 below `min_users`."""
    owners = features.user_history["user_id"].combine_chunks()
    events = list_array(features.user_history["events"])
    has = _binary(events.offsets.to_numpy(), row_numbers(events.values.field("item_id"), ids), len(ids))
    neighbours = list_array(features.similar_users["neighbours"])
    likes = _binary(neighbours.offsets.to_numpy(), row_numbers(neighbours.values.field("user_id"), owners), len(owners))
    row_of = row_numbers(users.combine_chunks(), features.similar_users["user_id"].combine_chunks())
    counts = np.zeros(len(candidates), np.int32)
    with_neighbours = np.flatnonzero(row_of >= 0)
    for start in range(0, len(with_neighbours), USERS_AT_ONCE):
        wanted = with_neighbours[start : start + USERS_AT_ONCE]
        totals = (likes[row_of[wanted]] @ has).tocsr()
        for place, request in enumerate(wanted):
            begin, end = offsets[request], offsets[request + 1]
            counts[begin:end] = totals[place, candidates[begin:end]].toarray()[0]
    counts[counts < min_users] = 0
    return counts


def _binary(offsets: np.ndarray, columns: np.ndarray, width: int) -> sparse.csr_matrix:
    """A 0/1 matrix with a row for each list."""
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    known = columns >= 0
    matrix = sparse.csr_matrix(
        (np.ones(known.sum(), np.int32), (rows[known], columns[known])), shape=(len(offsets) - 1, width)
    )
    matrix.data[:] = 1
    return matrix
