"""Columns of mapped files as they are read: lists of numbers, lists of texts."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from recthinker.lookup.columns import Lists, TextLists, Texts
from recthinker.lookup.encode import code_type, number_lists


def test_a_row_of_lists_is_a_view_of_its_values() -> None:
    lists = Lists(pa.array([[4, 7], [], [1, 4, 9]], pa.list_(pa.int32()))[1:])
    assert [lists[row].tolist() for row in range(2)] == [[], [1, 4, 9]]
    assert lists[1].base is not None


def test_texts_that_are_stored_once_come_back_in_their_lists() -> None:
    codes = pa.DictionaryArray.from_arrays(pa.array([1, 0, 1, 1], pa.int32()), pa.array(["Drama", "War"]))
    lists = TextLists(pa.ListArray.from_arrays(pa.array([0, 2, 2, 4], pa.int32()), codes))
    assert [lists[row] for row in range(3)] == [["War", "Drama"], [], ["War", "War"]]
    assert lists.firsts(np.array([2, 1, 0])) == ["War", "", "War"]


def test_texts_are_read_one_by_one_or_together() -> None:
    texts = Texts(pa.array(["skipped", "a", "", "ü", "b"])[1:])
    assert [texts[row] for row in range(4)] == ["a", "", "ü", "b"]
    assert texts.of(np.array([3, 0, 3])) == ["b", "a", "b"]


def test_lists_of_pairs_are_rows_of_a_matrix() -> None:
    lists = Lists(number_lists(np.array([0, 1, 1, 3]), np.array([[1, 2], [3, 4], [5, 6]], np.float32)))
    assert [lists[row].tolist() for row in range(3)] == [[[1, 2]], [], [[3, 4], [5, 6]]]


def test_lists_of_pairs_may_be_a_part_of_a_column() -> None:
    column = number_lists(np.array([0, 1, 3]), np.array([[1, 2], [3, 4], [5, 6]], np.float32))
    assert Lists(column[1:])[0].tolist() == [[3, 4], [5, 6]]


def test_the_last_code_of_two_bytes_is_a_row_as_any_other() -> None:
    row = 65_535
    last: Any = np.uint16(row)
    assert Texts(pa.array([""] * row + ["last"]))[last] == "last"
    assert Lists(pa.array([[]] * row + [[7]], pa.list_(pa.int32())))[last].tolist() == [7]
    codes = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array(["Drama"]))
    lists = pa.ListArray.from_arrays(pa.array([0] * (row + 1) + [1], pa.int32()), codes)
    assert TextLists(lists)[last] == ["Drama"]


@pytest.mark.parametrize(("count", "type_"), [(1, np.uint16), (65_536, np.uint16), (65_537, np.int32)])
def test_codes_have_room_for_all_that_they_stand_for(count: int, type_: type[np.generic]) -> None:
    assert code_type(count) is type_
    assert np.array([count - 1]).astype(code_type(count)).tolist() == [count - 1]
