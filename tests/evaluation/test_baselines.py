import numpy as np
import pytest

from recthinker.evaluation.baselines import history_matrix, itemknn_scores, popularity_scores, random_scores

HISTORIES = [[0, 1], [0, 1, 2], [2]]
"""Items of three users; item 3 is in no history."""


def test_popularity_counts_users() -> None:
    scores = popularity_scores(history_matrix(HISTORIES, 4), np.array([[0, 2, 3]] * 3))
    assert scores[0].tolist() == [2, 2, 0]


def test_an_item_twice_in_a_history_counts_once() -> None:
    assert history_matrix([[1, 1]], 2).toarray().tolist() == [[0, 1]]


def test_itemknn_sums_cosines_with_the_users_items() -> None:
    scores = itemknn_scores(history_matrix(HISTORIES, 4), np.array([[2, 3], [3, 0], [0, 1]]), neighbours=3)
    # cos(2,0) = 1 / sqrt(2 * 2) = 0.5, cos(2,1) = 0.5; nothing goes with item 3.
    assert scores[0].tolist() == pytest.approx([1.0, 0.0])
    # cos(0,1) = 2 / 2 = 1, cos(0,2) = 0.5, and an item is not its own neighbour.
    assert scores[1].tolist() == pytest.approx([0.0, 1.5])


def test_itemknn_keeps_the_nearest_neighbours_only() -> None:
    scores = itemknn_scores(history_matrix(HISTORIES, 4), np.array([[3], [0], [3]]), neighbours=1)
    # Of item 0's neighbours only item 1 is left.
    assert scores[1].tolist() == pytest.approx([1.0])


def test_random_scores_are_seeded() -> None:
    candidates = np.zeros((2, 3), np.int64)
    assert (random_scores(candidates, seed=1) == random_scores(candidates, seed=1)).all()
    assert (random_scores(candidates, seed=1) != random_scores(candidates, seed=2)).any()
