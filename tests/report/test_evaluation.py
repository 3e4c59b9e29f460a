import pytest

from recthinker.errors import RegistryError
from recthinker.report import read_evaluation
from tests.report import small_night


def test_no_evaluation_stays_none() -> None:
    assert read_evaluation(None) is None


def test_ticks_are_tenths_around_chance_and_all_intervals() -> None:
    evaluation = read_evaluation(small_night.evaluation())
    assert evaluation is not None
    assert evaluation.ticks("ndcg") == [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert evaluation.ticks("hr") == [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


def test_ticks_of_calls_span_the_intervals_that_are_told() -> None:
    evaluation = read_evaluation(small_night.whole_evaluation())
    assert evaluation is not None
    assert evaluation.adaptivity is not None
    assert evaluation.adaptivity.call_ticks == [0, 1, 2, 3]
    # From the lowest end, below chance, to the highest.
    assert evaluation.curve_ticks == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    untold = evaluation.adaptivity.model_copy(update={"history_bins": ()})
    assert untold.call_ticks == [0, 1]


def test_missing_figure_is_named() -> None:
    logged = small_night.evaluation()
    del logged["systems"][1]["ndcg_low"]
    with pytest.raises(RegistryError, match=r"systems\.1\.ndcg_low"):
        read_evaluation(logged)
