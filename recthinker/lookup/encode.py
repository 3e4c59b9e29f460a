"""Arrow columns to the arrays of a snapshot: item ids become codes (row numbers), lists become offsets and values."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recthinker.lookup.files import HASH, hash_keys
from recthinker.lookup.text import readable_codes, readable_column


def list_array(column: pa.ChunkedArray) -> pa.ListArray:
    """A list column as one array whose offsets start at its first value."""
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    return pa.ListArray.from_arrays(pc.subtract(array.offsets, array.offsets[0]).cast(pa.int32()), array.flatten())


def string_lists(column: pa.ChunkedArray) -> pa.ListArray:
    """A column of lists of strings, null as empty, its text as it may be shown, each text stored once."""
    array = list_array(column)
    return pa.ListArray.from_arrays(array.offsets, readable_codes(array.values))


def string_map(column: pa.ChunkedArray) -> pa.MapArray:
    """A column of maps of strings, null as empty, its text as it may be shown."""
    array = column.cast(pa.map_(pa.string(), pa.string())).combine_chunks()
    pairs = (readable_column(values) for values in (array.keys, array.items))
    return pa.MapArray.from_arrays(array.offsets, *pairs)


def sorted_by_key(table: pa.Table, key: str) -> pa.Table:
    """The rows in the order of the hash of their key, which is added as a column."""
    hashes = hash_keys(table[key].to_pylist())
    order = np.argsort(hashes, kind="stable")
    return table.take(pa.array(order)).append_column(HASH, pa.array(hashes[order], pa.uint64()))


def row_numbers(values: pa.Array, ids: pa.Array) -> np.ndarray:
    """Row numbers of `values` in `ids`; -1 where absent."""
    rows = pc.fill_null(pc.index_in(values, value_set=ids), -1)
    codes: np.ndarray = rows.to_numpy(zero_copy_only=False).astype(np.int32)
    return codes


def code_type(count: int) -> type[np.uint16] | type[np.int32]:
    """Of codes below `count` in long lists: the time to read these is that of getting their bytes from memory."""
    return np.uint16 if count <= np.iinfo(np.uint16).max + 1 else np.int32


def number_lists(offsets: np.ndarray, values: np.ndarray) -> pa.ListArray:
    """Numbers, or rows of a fixed number of them, as a list column."""
    flat = pa.array(values.ravel())
    column = flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), column)


def grouped(rows: np.ndarray, row_count: int, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets of each row's values, and the order that puts values row by row, by `order` inside a row."""
    positions = np.lexsort((order, rows))
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=row_count))]), positions
