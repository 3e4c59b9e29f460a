"""Columns of a mapped file: lists of numbers and text, read from the mapped bytes without Arrow's scalars."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.lib.stride_tricks import sliding_window_view


class Lists:
    """A list column as two mapped arrays: `self[i]` is a view of row i's values, without a copy."""

    __slots__ = ("offsets", "values")

    def __init__(self, column: pa.ListArray) -> None:
        self.offsets = column.offsets.to_numpy()
        self.values = column.values.to_numpy()

    def __getitem__(self, row: int) -> np.ndarray:
        values: np.ndarray = self.values[self.offsets[row] : self.offsets[row + 1]]
        return values

    def joined(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lists of some rows, one after the other; and of each value, which of `rows` it is of."""
        starts = self.offsets[rows]
        sizes = self.offsets[rows + 1] - starts
        ends = sizes.cumsum()
        owners = np.arange(len(rows)).repeat(sizes)
        return self.values[np.arange(len(owners)) + (starts - ends + sizes)[owners]], owners


class WideLists(Lists):
    """Lists of a bounded length, of which many are looked through at once."""

    __slots__ = ("_windows",)

    def __init__(self, column: pa.ListArray) -> None:
        super().__init__(column)
        self._windows = sliding_window_view(self.values, int(np.diff(self.offsets).max(initial=0)))

    def marked(self, rows: np.ndarray, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Those values of some rows that have a mark of 0 or more, row by row.

        Args:
            rows: row numbers, (R,).
            marks: by value.

        Returns:
            Their places in `values`, which of `rows` they are of, and their marks.
        """
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        # Of each row as many values as the longest has, which numpy copies without a place for each; those of the
        # rows after it are left out once few are left.
        firsts = np.minimum(starts, len(self._windows) - 1)
        found = marks.take(self._windows[firsts].ravel())
        hits = (found >= 0).nonzero()[0]
        owners, columns = np.divmod(hits, self._windows.shape[1])
        places = firsts[owners] + columns
        is_own = (places >= starts[owners]) & (places < ends[owners])
        return places[is_own], owners[is_own], found[hits[is_own]]


class Texts:
    """A string column: `self[i]` is row i's text, read from the mapped bytes without Arrow's scalars."""

    __slots__ = ("_bytes", "_offsets")

    def __init__(self, column: pa.StringArray) -> None:
        _, offsets, data = column.buffers()
        # Views of buffers: numpy would make a number object of its own of each offset.
        self._offsets = memoryview(offsets).cast("b").cast("i")[column.offset : column.offset + len(column) + 1]
        self._bytes = memoryview(data) if data else memoryview(b"")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        return str(self._bytes[self._offsets[row] : self._offsets[row + 1]], "utf-8")

    def of(self, rows: np.ndarray) -> list[str]:
        """The texts of some rows, in their order."""
        offsets, texts = self._offsets, self._bytes
        return [str(texts[offsets[row] : offsets[row + 1]], "utf-8") for row in rows.tolist()]


class Names(dict[int, str]):
    """The different texts of a column by code, each read from the mapped bytes when first asked for."""

    def __init__(self, dictionary: pa.StringArray) -> None:
        super().__init__()
        self._texts = Texts(dictionary)

    def __missing__(self, code: int) -> str:
        return self.setdefault(code, self._texts[code])


class TextLists:
    """A column of lists of strings, each text stored once: `self[i]` is row i's list."""

    __slots__ = ("_codes", "_names", "_offsets")

    def __init__(self, column: pa.ListArray) -> None:
        self._offsets = memoryview(column.offsets.to_numpy())
        self._codes = memoryview(column.values.indices.to_numpy())
        self._names = Names(column.values.dictionary)

    def __getitem__(self, row: int) -> list[str]:
        return self.head(row)

    def head(self, row: int, most: int | None = None) -> list[str]:
        """The first `most` strings of a row, by default all."""
        names, codes = self._names, self._codes
        return [names[codes[place]] for place in range(self._offsets[row], self._offsets[row + 1])[:most]]

    def rows(self, start: int, end: int) -> list[list[str]]:
        """The lists of the rows from `start` to before `end`."""
        bounds, names = self._offsets[start : end + 1].tolist(), self._names
        texts = [names[code] for code in self._codes[bounds[0] : bounds[-1]].tolist()]
        return [texts[first - bounds[0] : last - bounds[0]] for first, last in pairwise(bounds)]
