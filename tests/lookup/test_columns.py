"""Columns of mapped files as they are read: lists of numbers, lists of texts."""

import numpy as np
import pyarrow as pa
import pytest

from recthinker.lookup.columns import Lists, TextLists, Texts, WideLists

NUMBERS = pa.array([[4, 7], [], [1, 4, 9], [7]], pa.list_(pa.int32()))


def marks(*values: int) -> np.ndarray:
    """The first value is marked with 0, the next with 1."""
    found = np.full(10, -1, np.int32)
    found[list(values)] = np.arange(len(values))
    return found


def test_marked_values_are_those_of_the_rows_asked_for() -> None:
    # In the order of rows: the 4 of row 0 at place 0; of row 2 the 4 at 3; the 7 at place 5 is row 3's and not row 2's.
    places, owners, found = WideLists(NUMBERS).marked(np.array([0, 1, 2]), marks(9, 4))
    assert (places.tolist(), owners.tolist(), found.tolist()) == ([0, 3, 4], [0, 2, 2], [1, 1, 0])


@pytest.mark.parametrize(("row", "expected"), [(0, [1]), (1, []), (2, []), (3, [5])])
def test_a_list_shorter_than_the_longest_has_no_values_of_its_neighbours(row: int, expected: list[int]) -> None:
    places, _, _ = WideLists(NUMBERS).marked(np.array([row]), marks(7))
    assert places.tolist() == expected


@pytest.mark.parametrize("column", [pa.array([[], []], pa.list_(pa.int32())), pa.array([], pa.list_(pa.int32()))])
def test_nothing_is_marked_in_empty_lists(column: pa.ListArray) -> None:
    rows = np.arange(len(column))
    assert [len(found) for found in WideLists(column).marked(rows, marks(7))] == [0, 0, 0]


def test_joined_lists_tell_whose_each_value_is() -> None:
    values, owners = Lists(NUMBERS).joined(np.array([3, 1, 0]))
    assert (values.tolist(), owners.tolist()) == ([7, 4, 7], [0, 2, 2])


def test_texts_that_are_stored_once_come_back_in_their_lists() -> None:
    codes = pa.DictionaryArray.from_arrays(pa.array([1, 0, 1, 1], pa.int32()), pa.array(["Drama", "War"]))
    lists = TextLists(pa.ListArray.from_arrays(pa.array([0, 2, 2, 4], pa.int32()), codes))
    assert [lists[row] for row in range(3)] == [["War", "Drama"], [], ["War", "War"]]
    assert lists.head(0, 1) == ["War"]
    assert lists.rows(1, 3) == [[], ["War", "War"]]
    assert lists.rows(2, 2) == []


def test_texts_are_read_one_by_one_or_together() -> None:
    texts = Texts(pa.array(["skipped", "a", "", "ü", "b"])[1:])
    assert [texts[row] for row in range(4)] == ["a", "", "ü", "b"]
    assert texts.of(np.array([3, 0, 3])) == ["b", "a", "b"]
