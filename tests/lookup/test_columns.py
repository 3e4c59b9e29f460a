"""Columns of mapped files as they are read: lists of numbers, lists of texts."""

import numpy as np
import pyarrow as pa

from recthinker.lookup.columns import Lists, TextLists, Texts


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
