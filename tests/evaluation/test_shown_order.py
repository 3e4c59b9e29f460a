import numpy as np
import pytest

from recthinker.evaluation.shown_order import order_correlation, shuffle_spread
from recthinker.settings import Settings


def test_a_copy_has_one_a_reversal_minus_one_and_a_constant_nothing() -> None:
    shown = np.array([[2, 0, 1], [2, 0, 1], [2, 0, 1], [0, 1, 2]])
    # The second turns the order around. The fourth ranks 1, 3, 2 what stands at 0, 1, 2: 1 - 6 * 2 / (3 * 8) = 0.5.
    scores = np.array([[-2.0, 0.0, -1.0], [2.0, 0.0, 1.0], [5.0, 5.0, 5.0], [9.0, 1.0, 2.0]])
    assert order_correlation(scores, shown).tolist() == pytest.approx([1, -1, 0, 0.5])


def test_spread_is_over_the_orders_of_a_user(settings: Settings) -> None:
    # NDCG 1 and 0.5 for the first user: sd 0.25; the second does not move.
    found = shuffle_spread(np.array([[1.0, 3.0], [3.0, 3.0]]), np.array([0.2, 0.4]), settings.evaluation)
    assert [order["ndcg"] for order in found["orders"]] == [0.75, 0.5]
    assert found["user_sd"] == 0.125
    assert found["users_moved"] == 0.5
    assert found["order_correlation"] == pytest.approx(0.3)
