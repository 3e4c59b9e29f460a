"""One Arrow IPC file of a snapshot: written whole, opened memory-mapped, found by key through a sorted hash column.

Rows are sorted by the 64-bit hash of their key, stored in the column `key_hash`, so that a key is found by binary
search on a mapped array: no dict of all keys is ever built.
"""

import hashlib
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from recthinker.errors import SnapshotError

HASH = "key_hash"


def hash_keys(keys: Iterable[str]) -> np.ndarray:
    """64-bit hashes of `keys`; the same on every machine and in every process."""
    digests = b"".join(hashlib.blake2b(key.encode(), digest_size=8).digest() for key in keys)
    return np.frombuffer(digests, dtype="<u8")


def write_file(table: pa.Table, path: Path) -> None:
    """Write `table` as one record batch, so that a row's number is its place in every column."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        batches = table.combine_chunks().to_batches()
        writer.write_batch(batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema))


def open_file(path: Path) -> pa.RecordBatch:
    """The rows of `path`, memory-mapped.

    Raises:
        SnapshotError: the file is missing or is no whole Arrow file.
    """
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        return reader.get_batch(0)
    except (OSError, pa.ArrowInvalid) as error:
        raise SnapshotError(
            f"snapshot file {path} cannot be read ({error}); write the snapshot again: python -m jobs.write_snapshot"
        ) from error


def checksum(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Lists:
    """A list column as two mapped arrays: `self[i]` is a view of row i's values, without a copy."""

    __slots__ = ("offsets", "values")

    def __init__(self, column: pa.ListArray) -> None:
        self.offsets = column.offsets.to_numpy()
        self.values = column.values.to_numpy()

    def __getitem__(self, row: int) -> np.ndarray:
        values: np.ndarray = self.values[self.offsets[row] : self.offsets[row + 1]]
        return values

    def rows_of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where in `values` the lists of some rows stand, one list after the other; and how long each is."""
        starts = self.offsets[rows]
        sizes = self.offsets[rows + 1] - starts
        ends = np.cumsum(sizes)
        return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - sizes), sizes), sizes


class Texts:
    """A string column: `self[i]` is row i's text, read from the mapped bytes without Arrow's scalars."""

    __slots__ = ("_bytes", "_offsets")

    def __init__(self, column: pa.StringArray) -> None:
        _, offsets, data = column.buffers()
        self._offsets = np.frombuffer(offsets, np.int32, count=len(column) + 1, offset=4 * column.offset)
        self._bytes = memoryview(data) if data else memoryview(b"")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        item = self._offsets.item
        return str(self._bytes[item(row) : item(row + 1)], "utf-8")

    def of(self, rows: np.ndarray) -> list[str]:
        """The texts of some rows, in their order."""
        spans = zip(self._offsets[rows].tolist(), self._offsets[rows + 1].tolist(), strict=True)
        return [str(self._bytes[start:end], "utf-8") for start, end in spans]

    def between(self, start: int, end: int) -> list[str]:
        """The texts of the rows from `start` to before `end`."""
        return [str(self._bytes[a:b], "utf-8") for a, b in pairwise(self._offsets[start : end + 1].tolist())]


class TextLists:
    """A column of lists of strings: `self[i]` is row i's list."""

    __slots__ = ("_offsets", "_texts")

    def __init__(self, column: pa.ListArray) -> None:
        self._offsets = column.offsets.to_numpy()
        self._texts = Texts(column.values)

    def __getitem__(self, row: int) -> list[str]:
        return self.head(row)

    def head(self, row: int, most: int | None = None) -> list[str]:
        """The first `most` strings of a row, by default all."""
        start, end = self._offsets.item(row), self._offsets.item(row + 1)
        return self._texts.between(start, end if most is None else min(end, start + most))

    def between(self, start: int, end: int) -> list[list[str]]:
        """The lists of the rows from `start` to before `end`."""
        places = self._offsets[start : end + 1].tolist()
        first = places[0]
        texts = self._texts.between(first, places[-1])
        return [texts[a - first : b - first] for a, b in pairwise(places)]


def find(hashes: np.ndarray, keys: Texts, key: str) -> int:
    """The row of `key`, or -1."""
    wanted = hash_keys([key])[0]
    row = int(np.searchsorted(hashes, wanted))
    while row < len(hashes) and hashes[row] == wanted:
        if keys[row] == key:
            return row
        row += 1
    return -1
