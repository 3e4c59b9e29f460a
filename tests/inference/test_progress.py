"""The progress line, its moment set by hand: the batch began 10 seconds ago."""

import time
from types import SimpleNamespace
from typing import cast

import pytest

from recthinker.agent import Episode, Outcome, TokenCount
from recthinker.inference import BatchProgress


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 110.0)


def ended(outcome: Outcome, tokens: TokenCount | None = None) -> Episode:
    return cast(Episode, SimpleNamespace(outcome=outcome, tokens=tokens or TokenCount()))


def test_line_tells_rates_of_this_run_and_outcomes_of_all() -> None:
    progress = BatchProgress.resumed(100, {"ranked": 30})
    progress.started = 100.0
    for _ in range(15):
        progress.count(ended(Outcome.RANKED, TokenCount(prompt=1000, cached=750, generated=40)))
    for _ in range(5):
        progress.count(ended(Outcome.UNCHANGED))
    # 20 users in 10 s; 50 are left: 25 s. Computed 15 * 250 / 10, generated 15 * 40 / 10, cached 750 / 1000
    assert progress.line("shard 1") == (
        "shard 1: 50/100 users, 2.0 users/s, 0:00:25 left, 45 ranked 5 unchanged, "
        "tokens/s 375 computed 60 generated, 75% of the prompts cached, 30 users by an earlier run"
    )


def test_end_is_not_foretold_by_the_first_episode() -> None:
    progress = BatchProgress(100, started=100.0)
    progress.count(ended(Outcome.RANKED))
    assert progress.seconds_left is None
    progress.count(ended(Outcome.RANKED))
    assert progress.seconds_left == 98 / (2 / 10)


def test_line_before_the_first_episode_divides_by_nothing() -> None:
    assert BatchProgress(4, started=110.0).line("shard 0") == (
        "shard 0: 0/4 users, 0.0 users/s, tokens/s 0 computed 0 generated"
    )
