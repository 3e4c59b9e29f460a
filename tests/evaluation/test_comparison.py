import numpy as np
import pytest

from recthinker.evaluation import compare
from recthinker.settings import Settings


def test_systems_are_measured_on_the_same_lists_and_paired(settings: Settings) -> None:
    target = np.zeros(50, np.int64)
    perfect = np.tile([3.0, 2.0, 1.0], (50, 1))
    second = np.tile([2.0, 3.0, 1.0], (50, 1))
    found = compare(
        {"agent": perfect, "popularity": second},
        target,
        settings.evaluation,
        subject="agent",
        left_out=2,
        command="x",
    )
    assert [system["ndcg"] for system in found["systems"]] == [1.0, pytest.approx(1 / np.log2(3))]
    (paired,) = found["paired"]
    assert paired["against"] == "popularity"
    # The same difference for every user: the interval has no width.
    assert paired["low"] == pytest.approx(paired["high"]) == pytest.approx(1 - 1 / np.log2(3))
    assert (found["users"], found["left_out"]) == (50, 2)


def test_the_probe_shows_a_leak_by_low_counts(settings: Settings) -> None:
    target = np.zeros(50, np.int64)
    leaking = np.tile([0.0, 5.0, 6.0], (50, 1))
    found = compare(
        {"agent": leaking, "popularity": leaking},
        target,
        settings.evaluation,
        subject="agent",
        left_out=0,
        command="x",
    )
    assert found["probes"][0]["value"] == 1.0
    assert found["probes"][0]["value"] > found["chance"]["ndcg"]
