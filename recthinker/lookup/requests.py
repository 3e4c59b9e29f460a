"""User rows of a snapshot: one row a request, which is a user with the items to rank for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from recthinker.lookup.columns import Lists, TextLists, Texts
from recthinker.lookup.files import HASH, find, open_file


@dataclass(frozen=True, slots=True)
class RequestRow:
    """All that the agent's tools may know of one request.

    Items are codes (see `ItemRows`). `similar_counts` runs along `candidates`: how many similar users have the item, 0
    below the privacy threshold.
    """

    key: str
    user_id: str
    candidates: np.ndarray
    similar_counts: np.ndarray
    history: np.ndarray
    """Newest first."""
    event_count: int
    top_categories: list[str]
    attributes: dict[str, str]
    mean_rating: float
    sample: int = 0
    """Which of several episodes of this request: each is sampled in its own way, all see the same prompt."""

    @property
    def episode_key(self) -> str:
        """Tells one episode from all others; the request's key where it has one."""
        return f"{self.key}~{self.sample}" if self.sample else self.key


class RequestRows:
    """The memory-mapped requests of one shard, in the order of the hash of their keys."""

    def __init__(self, path: Path) -> None:
        rows: pa.RecordBatch = open_file(path)
        attributes = rows["attributes"]
        self._hashes = rows[HASH].to_numpy()
        self._keys, self._users = Texts(rows["key"]), Texts(rows["user_id"])
        self._candidates = Lists(rows["candidates"])
        self._similar = Lists(rows["similar_counts"])
        self._history = Lists(rows["history"])
        self._event_counts: np.ndarray = rows["event_count"].to_numpy()
        self._top_categories = TextLists(rows["top_categories"])
        self._attribute_offsets = attributes.offsets.to_numpy()
        self._attribute_names, self._attribute_values = Texts(attributes.keys), Texts(attributes.items)
        self._mean_rating: np.ndarray = rows["mean_rating"].to_numpy()

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[RequestRow]:
        return (self.row(row) for row in range(len(self)))

    def user_ids(self) -> list[str]:
        """The user of each request."""
        return [self._users[row] for row in range(len(self))]

    def key(self, row: int) -> str:
        """The key of request number `row`."""
        return self._keys[row]

    def get(self, key: str) -> RequestRow | None:
        """The request of `key`, or None."""
        row = find(self._hashes, self._keys, key)
        return None if row < 0 else self.row(row)

    def row(self, row: int) -> RequestRow:
        """Request number `row`."""
        first, end = self._attribute_offsets[row : row + 2].tolist()
        return RequestRow(
            key=self._keys[row],
            user_id=self._users[row],
            candidates=self._candidates[row],
            similar_counts=self._similar[row],
            history=self._history[row],
            event_count=self._event_counts.item(row),
            top_categories=self._top_categories[row],
            attributes={self._attribute_names[pair]: self._attribute_values[pair] for pair in range(first, end)},
            mean_rating=self._mean_rating.item(row),
        )
