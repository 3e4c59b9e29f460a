import pytest
from hypothesis import given
from hypothesis import strategies as st

from recthinker.agent.answers import read_list, read_scores


def test_a_permutation_gives_falling_scores() -> None:
    # C first, then A, D, B: label A is second.
    reading = read_list([2, 0, 3, 1], 4)
    assert (reading.scores, reading.fault) == ((-1.0, -3.0, 0.0, -2.0), "")


@pytest.mark.parametrize(
    ("labels", "order", "fault"),
    [
        ([2, 0, 2, 1, 3], [2, 0, 1, 3], "0 missing, 1 repeated, 0 no label"),
        ([3, 1], [3, 1, 0, 2], "2 missing, 0 repeated, 0 no label"),
        ([3, None, 3, 2, 1], [3, 2, 1, 0], "1 missing, 1 repeated, 1 no label"),
        ([0, 1, 2, 3, None], [0, 1, 2, 3], "0 missing, 0 repeated, 1 no label"),
    ],
)
def test_nearly_a_permutation_is_repaired(labels: list[int | None], order: list[int], fault: str) -> None:
    reading = read_list(labels, 4)
    assert sorted(range(4), key=lambda label: -reading.scores[label]) == order
    assert fault in reading.fault


@pytest.mark.parametrize("labels", [[], [1], [1, 1, 1, 1], [None, 2, None]])
def test_a_list_of_fewer_than_half_of_the_labels_is_of_no_use(labels: list[int | None]) -> None:
    assert read_list(labels, 4).scores == ()


@given(st.lists(st.none() | st.integers(0, 9)))
def test_whatever_is_written_each_label_gets_one_place_or_none_does(labels: list[int | None]) -> None:
    reading = read_list(labels, 10)
    assert sorted(reading.scores) in ([], [-float(place) for place in range(9, -1, -1)])
    assert bool(reading.scores) == (len({label for label in labels if label is not None}) >= 5)


@pytest.mark.parametrize("scores", [(), (-1.0,), (-1.0, float("nan")), (-1.0, float("-inf"))])
def test_scores_must_be_there_and_finite(scores: tuple[float, ...]) -> None:
    assert read_scores(scores, 2).scores == ()
    assert read_scores((-1.0, -2.0), 2).scores == (-1.0, -2.0)
