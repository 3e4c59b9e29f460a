"""Columns of a mapped file: lists of numbers and text, read from the mapped bytes without Arrow's scalars."""

import numpy as np
import pyarrow as pa


class Lists:
    """A list column as two mapped arrays: `self[i]` is a view of row i's values, without a copy. Values that are lists
    of n numbers themselves are a matrix of n columns.
    """

    __slots__ = ("offsets", "values")

    def __init__(self, column: pa.ListArray) -> None:
        self.offsets = column.offsets.to_numpy()
        values = column.values
        self.values: np.ndarray = (
            values.flatten().to_numpy().reshape(-1, values.type.list_size)
            if pa.types.is_fixed_size_list(values.type)
            else values.to_numpy()
        )

    def __getitem__(self, row: int) -> np.ndarray:
        row = int(row)  # the last code of two bytes has no next one
        values: np.ndarray = self.values[self.offsets[row] : self.offsets[row + 1]]
        return values


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
        row = int(row)
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
        names, codes, row = self._names, self._codes, int(row)
        return [names[codes[place]] for place in range(self._offsets[row], self._offsets[row + 1])]

    def firsts(self, rows: np.ndarray) -> list[str]:
        """The first string of each of some rows, "" where a row has none."""
        names, codes, offsets = self._names, self._codes, self._offsets
        return [names[codes[offsets[row]]] if offsets[row] < offsets[row + 1] else "" for row in rows.tolist()]
