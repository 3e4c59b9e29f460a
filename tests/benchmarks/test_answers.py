import pytest

from recthinker.settings import load_settings
from tests.benchmarks.sections.answers import compared

EVALUATION = load_settings("test", environ={}).evaluation


def test_speeds_are_compared_and_gains_are_paired() -> None:
    labels = {"seconds": 2.0, "cpu_seconds": 3.0, "gains": [1.0, 0.5, 0.5, 0.0], "outcomes": {"ranked": 4}}
    written = {
        "seconds": 8.0,
        "cpu_seconds": 9.0,
        "gains": [0.5, 0.0, 0.0, -0.5],
        "outcomes": {"ranked": 3, "repaired": 1},
    }
    figure = compared(labels, written, EVALUATION, {"model": "m/1"})
    # 4 users in 2 s over 4 in 8 s; each user gains 0.5, so the interval has no width.
    assert figure.value == pytest.approx((4 / 2) / (4 / 8))
    assert figure.context["labels"] == "2.0 users/s, 3.0 s of processor, NDCG@10 0.5000, {'ranked': 4}"
    assert figure.context["NDCG@10 labels - generate"].startswith("+0.5000 [+0.5000, +0.5000], 95 %")
