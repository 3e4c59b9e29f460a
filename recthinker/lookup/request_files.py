"""The request rows of a snapshot: candidates and history as codes, the user's profile, counts over similar users."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from recthinker.errors import SnapshotError
from recthinker.lookup.encode import list_array, number_lists, row_numbers, string_lists, string_map
from recthinker.lookup.feature_rows import FeatureRows
from recthinker.lookup.files import HASH

USERS_AT_ONCE = 4096
"""Requests whose similar users are counted in one sparse product; bounds memory."""


class UserRows:
    """The users' feature rows, made ready to be joined to requests.

    Args:
        features: must hold the rows of all similar users of whoever is asked for.
        ids: item ids by code.
    """

    def __init__(self, features: FeatureRows, ids: pa.Array) -> None:
        self._ids, self._profile = ids, features.user_profile
        owners = features.user_history["user_id"].combine_chunks()
        events = list_array(features.user_history["events"])
        self._has = _binary(events.offsets.to_numpy(), row_numbers(events.values.field("item_id"), ids), len(ids))
        neighbours = list_array(features.similar_users["neighbours"])
        similar = row_numbers(neighbours.values.field("user_id"), owners)
        self._likes = _binary(neighbours.offsets.to_numpy(), similar, len(owners))
        self._with_neighbours = features.similar_users["user_id"].combine_chunks()

    def of(self, requests: pa.Table, min_users: int) -> pa.Table:
        """The requests with codes for ids, their user's profile, and the counts over similar users.

        Raises:
            SnapshotError: a candidate is not in the catalogue.
        """
        candidates, history = list_array(requests["candidates"]), list_array(requests["history"])
        codes = row_numbers(candidates.values, self._ids)
        if (codes < 0).any():
            stranger = candidates.values[int(np.argmax(codes < 0))].as_py()
            raise SnapshotError(
                f"candidate {stranger!r} is not in item_metadata; build features and candidates of the same D"
            )
        history_codes = row_numbers(history.values, self._ids)
        offsets = candidates.offsets.to_numpy()
        where = pc.index_in(requests["user_id"], value_set=self._profile["user_id"].combine_chunks())
        return pa.table(
            {
                HASH: requests[HASH],
                "key": requests["key"],
                "user_id": requests["user_id"],
                "candidates": number_lists(offsets, codes),
                "similar_counts": number_lists(offsets, self._counts(requests["user_id"], offsets, codes, min_users)),
                "history": number_lists(history.offsets.to_numpy(), history_codes),
                "event_count": pa.array(np.diff(history.offsets.to_numpy()), pa.int64()),
                "top_categories": string_lists(self._profile["top_categories"].take(where)),
                "attributes": string_map(self._profile["attributes"].take(where)),
                "mean_rating": pc.fill_null(self._profile["mean_rating"].take(where), float("nan")),
            }
        )

    def _counts(self, users: pa.ChunkedArray, offsets: np.ndarray, codes: np.ndarray, min_users: int) -> np.ndarray:
        """For each candidate of each request, how many of the user's similar users have it; 0 below `min_users`."""
        row_of = row_numbers(users.combine_chunks(), self._with_neighbours)
        counts = np.zeros(len(codes), np.int32)
        with_neighbours = np.flatnonzero(row_of >= 0)
        sizes = np.diff(offsets)
        for start in range(0, len(with_neighbours), USERS_AT_ONCE):
            wanted = with_neighbours[start : start + USERS_AT_ONCE]
            totals = (self._likes[row_of[wanted]] @ self._has).tocsr()
            places = np.concatenate([np.arange(offsets[request], offsets[request + 1]) for request in wanted])
            rows = np.repeat(np.arange(len(wanted)), sizes[wanted])
            counts[places] = np.asarray(totals[rows, codes[places]]).ravel()
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
