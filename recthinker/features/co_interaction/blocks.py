"""From windows to the pairs of one block.

Counting is a product of two sparse matrices, (items x windows) by (windows x neighbours), whose values are complex: the
support is added in the real part and the weight in the imaginary one. Adding into a row of neighbours costs about 13 ns
a pair; sorting the pairs instead would cost five times as much. The sums are exact: whole numbers below 2^53.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import sparse

from recthinker.features.co_interaction.codes import Codes, EventCodes
from recthinker.features.co_interaction.pairs import Pairs, joined_pairs, pair_keys, sum_pairs
from recthinker.features.co_interaction.windows import stretches

BUFFER_PAIRS = 12_000_000
"""Pairs counted at once: about 200 MB."""
SLICE_PAIRS = 1_000_000
"""Pairs that one product adds up: what it works on fits a cache."""
MAX_PARTS = 8
"""Sums of buffers held before they are added up."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of events of one block."""

    item: npt.NDArray[np.int32]
    """Number of the centre's item."""
    first: npt.NDArray[np.int8]
    """Events from the centre to the first of the window; below 0: before the centre."""
    count: npt.NDArray[np.uint8]
    """Events of the window."""
    codes: Codes
    """The events of all windows, one window after the other."""


def count_block(batches: Iterable[pa.RecordBatch], codes: EventCodes) -> Pairs:
    """The pairs of a block from its windows; memory is bounded by the distinct pairs, not by the events."""
    parts: list[Pairs] = []
    for windows in _buffered(_windows(batches)):
        parts.append(_count(windows, codes))
        if len(parts) == MAX_PARTS:
            parts = [sum_pairs(parts)]
    return sum_pairs(parts)


def _windows(batches: Iterable[pa.RecordBatch]) -> Iterator[Windows]:
    types = (np.int32, np.int8, np.uint8, np.uint32)
    for batch in batches:
        columns = [batch.column(name) for name in ("item", "first", "count", "codes")]
        for row in range(batch.num_rows):
            yield Windows(*(np.frombuffer(c[row].as_buffer(), type_) for c, type_ in zip(columns, types, strict=True)))


def _buffered(windows: Iterable[Windows]) -> Iterator[Windows]:
    """`windows` put together to `BUFFER_PAIRS` and more."""
    waiting: list[Windows] = []
    pairs = 0
    for part in windows:
        waiting.append(part)
        pairs += len(part.codes)
        if pairs >= BUFFER_PAIRS:
            yield _joined(waiting)
            waiting, pairs = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[Windows]) -> Windows:
    return Windows(
        np.concatenate([part.item for part in parts]),
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.count for part in parts]),
        np.concatenate([part.codes for part in parts]),
    )


def _count(windows: Windows, codes: EventCodes) -> Pairs:
    order = np.argsort(windows.item, kind="stable")
    begins = np.cumsum(windows.count, dtype=np.int64) - windows.count
    places = stretches(begins[order], windows.count[order])
    in_order = Windows(windows.item[order], windows.first[order], windows.count[order], windows.codes[places])
    return joined_pairs([_sum(part, codes) for part in _slices(in_order)])


def _slices(windows: Windows) -> Iterator[Windows]:
    """Parts of `windows`, which are in the order of their items, of about `SLICE_PAIRS`, an item's in one part."""
    pairs = np.concatenate([[0], np.cumsum(windows.count, dtype=np.int64)])
    item_ends = np.flatnonzero(np.diff(windows.item, append=-1)) + 1
    ends = item_ends[np.flatnonzero(np.diff(pairs[item_ends] // SLICE_PAIRS, append=-1))]
    for begin, end in pairwise([0, *ends]):
        stretch = slice(begin, end)
        codes = windows.codes[pairs[begin] : pairs[end]]
        yield Windows(windows.item[stretch], windows.first[stretch], windows.count[stretch], codes)


def _sum(windows: Windows, codes: EventCodes) -> Pairs:
    item_begins = np.flatnonzero(np.diff(windows.item, prepend=-1))
    n = len(windows.item)
    of_item = sparse.csr_matrix(
        (np.ones(n, np.complex128), np.arange(n), np.append(item_begins, n)), shape=(len(item_begins), n)
    )
    summed = of_item @ _neighbours(windows, codes)
    summed.sort_indices()
    item = np.repeat(windows.item[item_begins], np.diff(summed.indptr))
    support, weight = summed.data.real.astype(np.int64), summed.data.imag.astype(np.int64)
    # Nothing was added at an item's own place.
    return Pairs(pair_keys(item, summed.indices), support, weight).where(support > 0)


def _neighbours(windows: Windows, codes: EventCodes) -> sparse.csr_matrix:
    """A row a window: 1 + i * units at each neighbour; 0 at the window's own item."""
    ends = np.concatenate([[0], np.cumsum(windows.count, dtype=np.int64)])
    neighbour = codes.items(windows.codes)
    distance = np.arange(ends[-1], dtype=np.int32)
    distance -= np.repeat((ends[:-1] - windows.first).astype(np.int32), windows.count)
    values = np.empty(len(neighbour), np.complex128)
    other = neighbour != np.repeat(windows.item, windows.count)
    values.real = other
    values.imag = codes.units(windows.codes, distance)
    values.imag *= other
    return sparse.csr_matrix((values, neighbour, ends), shape=(len(windows.item), int(neighbour.max()) + 1))
