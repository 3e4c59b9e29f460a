import numpy as np
import pytest

from recthinker.evaluation.correlation import spearman


def test_equals_share_their_mean_rank_and_rows_stand_alone() -> None:
    # Ranks 3.5 and 9.5 against 1.5, 5.5 and 10.5; around the mean 6.5: -3, 3 against -5 (twice), -1 (six times), 4
    # (four times). Their product sums to 6 * 3 + 3 * (4 * 4 - 2 * 5) = 36, their squares to 108 and 120.
    calls = [1] * 6 + [2] * 6
    lengths = [10] * 6 + [20] * 4 + [5] * 2
    found = spearman(np.array([calls, calls, calls]), np.array([lengths, calls, [7] * 12]))
    assert found.tolist() == pytest.approx([36 / np.sqrt(108 * 120), 1, 0])
