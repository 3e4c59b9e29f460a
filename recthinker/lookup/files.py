"""One Arrow IPC file of a snapshot: written whole, opened memory-mapped, found by key through a sorted hash column.

Rows are sorted by the 64-bit hash of their key, stored in the column `key_hash`, so that a key is found by binary
search on a mapped array: no dict of all keys is ever built.
"""

import hashlib
import mmap
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from recthinker.errors import SnapshotError
from recthinker.lookup.columns import Texts

HASH = "key_hash"
READ_AHEAD_BYTES = 2**30
"""Size up to which a file that is read all over is mapped page by page when it is opened, not when it is first read."""


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


def open_file(path: Path, *, read_all_over: bool = False) -> pa.RecordBatch:
    """The rows of `path`, memory-mapped.

    Args:
        path: as `write_file` wrote it.
        read_all_over: whether its rows are read in no order, again and again, so that mapping pages one by one would
            make the first reads several times slower.

    Raises:
        SnapshotError: the file is missing or is no whole Arrow file.
    """
    try:
        ahead = mmap.MAP_POPULATE if read_all_over and path.stat().st_size <= READ_AHEAD_BYTES else 0
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED | ahead, prot=mmap.PROT_READ)
        return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped))).get_batch(0)
    except (OSError, ValueError) as error:  # ArrowInvalid is a ValueError, and so is what mmap says of an empty file
        raise SnapshotError(
            f"snapshot file {path} cannot be read ({error}); write the snapshot again: python -m jobs.write_snapshot"
        ) from error


def checksum(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def find(hashes: np.ndarray, keys: Texts, key: str) -> int:
    """The row of `key`, or -1."""
    wanted = hash_keys([key])[0]
    row = int(hashes.searchsorted(wanted))
    while row < len(hashes) and hashes[row] == wanted:
        if keys[row] == key:
            return row
        row += 1
    return -1
