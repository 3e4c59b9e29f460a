"""User rows of a snapshot: one row a request, which is a user with the items to rank for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from recthinker.lookup.files import HASH, Lists, find, open_file


@dataclass(frozen=True, slots=True)
class RequestRow:
    """All that the agent's tools may know of one request.

    Items are codes (see `ItemRows`). `similar_counts` runs along `candidates`: how many similar users have the item, 0
    below the privacy threshold.
    """

    key: str
    user_id: str
    candidates: np.ndarray
    candidate_sources: list[list[str]]
    similar_counts: np.ndarray
    history: np.ndarray
    """Newest first."""
    event_count: int
    top_categories: list[str]
    attributes: dict[str, str]
    mean_rating: float


class RequestRows:
    """The memory-mapped requests of one shard, in the order of the hash of their keys."""

    def __init__(self, path: Path) -> None:
        rows: pa.RecordBatch = open_file(path)
        self._hashes = rows[HASH].to_numpy()
        self._rows = rows
        self._keys = rows["key"]
        self._candidates = Lists(rows["candidates"])
        self._similar = Lists(rows["similar_counts"])
        self._history = Lists(rows["history"])

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[RequestRow]:
        return (self.row(row) for row in range(len(self)))

    def user_ids(self) -> list[str]:
        """The user of each request."""
        ids: list[str] = self._rows["user_id"].to_pylist()
        return ids

    def get(self, key: str) -> RequestRow | None:
        """The request of `key`, or None."""
        row = find(self._hashes, self._keys, key)
        return None if row < 0 else self.row(row)

    def row(self, row: int) -> RequestRow:
        """Request number `row`."""
        column = self._rows.column
        names = self._rows.schema.get_field_index
        return RequestRow(
            key=self._keys[row].as_py(),
            user_id=column(names("user_id"))[row].as_py(),
            candidates=self._candidates[row],
            candidate_sources=column(names("candidate_sources"))[row].as_py(),
            similar_counts=self._similar[row],
            history=self._history[row],
            event_count=column(names("event_count"))[row].as_py(),
            top_categories=column(names("top_categories"))[row].as_py(),
            attributes=dict(column(names("attributes"))[row].as_py()),
            mean_rating=column(names("mean_rating"))[row].as_py(),
        )
