import numpy as np
import pytest

from recthinker.evaluation.baselines import (
    FUSION,
    als_scores,
    ease_scores,
    fusion_scores,
    history_matrix,
    itemknn_scores,
    popularity_scores,
    random_scores,
    run_baselines,
)
from recthinker.evaluation.baselines.als import solve_factors
from recthinker.settings import AlsSettings, Settings

HISTORIES = [[0, 1], [0, 1, 2], [2]]
"""Items of three users; item 3 is in no history."""
TRAIN = history_matrix(HISTORIES, 4)


def als(**values: float) -> AlsSettings:
    given = {"rank": 1, "iterations": 2, "regularization": 0.5, "alpha": 1.0, "blocks": 1} | values
    return AlsSettings.model_validate(given)


def test_popularity_counts_users() -> None:
    scores = popularity_scores(TRAIN, np.array([[0, 2, 3]] * 3))
    assert scores[0].tolist() == [2, 2, 0]


def test_an_item_twice_in_a_history_counts_once() -> None:
    assert history_matrix([[1, 1]], 2).toarray().tolist() == [[0, 1]]


def test_itemknn_sums_cosines_with_the_users_items() -> None:
    scores = itemknn_scores(TRAIN, TRAIN, np.array([[2, 3], [3, 0], [0, 1]]), neighbours=3)
    # cos(2,0) = 1 / sqrt(2 * 2) = 0.5, cos(2,1) = 0.5; nothing goes with item 3.
    assert scores[0].tolist() == pytest.approx([1.0, 0.0])
    # cos(0,1) = 2 / 2 = 1, cos(0,2) = 0.5, and an item is not its own neighbour.
    assert scores[1].tolist() == pytest.approx([0.0, 1.5])


def test_itemknn_keeps_the_nearest_neighbours_only() -> None:
    scores = itemknn_scores(TRAIN, TRAIN, np.array([[3], [0], [3]]), neighbours=1)
    # Of item 0's neighbours only item 1 is left.
    assert scores[1].tolist() == pytest.approx([1.0])


def test_what_a_user_has_need_not_be_in_the_statistics() -> None:
    # The one evaluated user took up item 2 after the cut.
    scores = itemknn_scores(TRAIN, history_matrix([[2]], 4), np.array([[0, 3]]), neighbours=3)
    assert scores[0].tolist() == pytest.approx([0.5, 0.0])


def test_ease_is_the_closed_form() -> None:
    # X'X + 1 I = [[3, 2], [2, 2]] + I = [[4, 2], [2, 3]]; its inverse is [[3, -2], [-2, 4]] / 8.
    # B[0, 1] = 2 / 4, B[1, 0] = 2 / 3, and the diagonal is 0.
    train = history_matrix([[0, 1], [0, 1], [0]], 2)
    scores = ease_scores(train, history_matrix([[0], [1], [0, 1]], 2), np.array([[0, 1]] * 3), l2=1)
    assert scores.tolist() == [pytest.approx([0, 1 / 2]), pytest.approx([2 / 3, 0]), pytest.approx([2 / 3, 1 / 2])]


def test_als_solves_for_the_factors_of_a_row() -> None:
    # Y'Y = 1 + 4 = 5; row 0 has item 0: 5 + 1 * 1 + 0.5 * 1 = 6.5 to the left, (1 + 1) * 1 to the right.
    # Row 1 has both: 5 + 5 + 0.5 * 2 = 11, and 2 * (1 + 2) = 6. Row 2 has nothing.
    factors = solve_factors(history_matrix([[0], [0, 1], []], 2), np.array([[1.0], [2.0]]), als())
    assert factors.ravel().tolist() == pytest.approx([2 / 6.5, 6 / 11, 0])


def test_als_prefers_what_goes_with_the_users_items() -> None:
    train = history_matrix([[0, 1], [0, 1], [0, 1], [2, 3], [2, 3], [2, 3]], 4)
    known = history_matrix([[0], [3], []], 4)
    scores = als_scores(train, known, np.array([[1, 2]] * 3), als(rank=2, iterations=10), seed=1)
    assert scores[0, 0] > scores[0, 1]
    assert scores[1, 0] < scores[1, 1]
    assert scores[2].tolist() == [0, 0]
    assert (scores == als_scores(train, known, np.array([[1, 2]] * 3), als(rank=2, iterations=10), seed=1)).all()


def test_fusion_adds_reciprocal_ranks() -> None:
    first, second = np.array([[9.0, 4.0, 0.0]]), np.array([[0.0, 5.0, 5.0]])
    # Without evidence, in no list; a tie for places 1 and 2 shares rank 1.5.
    expected = [1 / 61, 1 / 62 + 1 / 61.5, 1 / 61.5]
    assert fusion_scores([first, second]).tolist() == [pytest.approx(expected)]


def test_random_scores_are_seeded() -> None:
    candidates = np.zeros((2, 3), np.int64)
    assert (random_scores(candidates, seed=1) == random_scores(candidates, seed=1)).all()
    assert (random_scores(candidates, seed=1) != random_scores(candidates, seed=2)).any()


def test_ease_is_left_out_of_a_large_catalogue_and_said_so(settings: Settings) -> None:
    candidates = np.array([[0, 3]] * 3)
    given = (TRAIN, TRAIN, candidates, {"next": np.ones((3, 2))})
    whole = run_baselines(*given, settings.evaluation, als())
    assert set(whole.scores) == {"random", "popularity", FUSION, "ItemKNN", "ALS", "EASE"}
    assert not whole.left_out
    small = settings.evaluation.model_copy(update={"ease_max_items": 3})
    bounded = run_baselines(*given, small, als())
    assert "EASE" not in bounded.scores
    assert bounded.left_out == {"EASE": "its catalogue may hold 3 items (evaluation.ease_max_items), found 4"}
