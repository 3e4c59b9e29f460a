"""Sorted rows in groups, batch by batch."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def group_starts(values: pa.Array) -> npt.NDArray[np.int64]:
    """Places at which a run of equal `values` starts; one row or more."""
    changed = pc.not_equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
    return np.flatnonzero(np.concatenate([[True], changed]))


def whole_groups(batches: Iterator[pa.RecordBatch], column: str) -> Iterator[pa.RecordBatch]:
    """The same rows, cut anew so that rows of one value of `column` stand in one batch.

    Args:
        batches: rows sorted by `column`.
        column: what a group has in common.
    """
    held: list[pa.RecordBatch] = []
    for batch in filter(len, batches):
        last = group_starts(batch[column])[-1]
        is_over = last > 0 or (held and held[-1][column][-1] != batch[column][0])
        if is_over:
            yield pa.concat_batches([*held, batch[:last]])
            held = []
        held.append(batch[last:])
    if held:
        yield pa.concat_batches(held)
