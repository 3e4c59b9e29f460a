"""What jobs tell of how far they are, in a terminal and without one."""

import io

import pytest
from rich.console import Console

from recthinker.cli.bars import job_bars
from recthinker.cli.told import Told, read_progress
from recthinker.inference import BatchProgress

HALF = "shard 1: 5/10 users, 2.0 users/s"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (HALF, Told("job", "shard 1", 5, 10, "users, 2.0 users/s", HALF)),
        ("base  ██░░ 80/500, loss 1.2", Told("job", "base", 80, 500, "loss 1.2", "base  ██░░ 80/500, loss 1.2")),
        ("sft: 3/4", Told("job", "sft", 3, 4, "", "sft: 3/4")),
        ("shard 1: 5 of 10 users", None),
        ("job done in 1 s: shard 1: 478 users", None),
        ("2026-11-23 05:56:44,299 INFO recthinker.tables wrote 5/10", None),
    ],
)
def test_progress_lines_are_told_from_others(line: str, told: Told | None) -> None:
    assert read_progress(line, "job") == told


def test_line_of_a_batch_is_read_back() -> None:
    told = read_progress(BatchProgress.resumed(10, {"ranked": 4}).line("shard 3"), "infer_shard 3")
    assert told
    assert (told.name, told.done, told.total) == ("shard 3", 4, 10)


def test_terminal_shows_a_bar_until_the_job_is_done() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with job_bars(console) as bars:
        for done in (5, 9):
            bars.tell(Told("infer_shard 1", "shard 1", done, 10, "2.0 users/s", ""))
        bars.tell(Told("infer_shard 2", "shard 2", 1, 10, "", ""))
        counts = [(bar.description, bar.completed, bar.total, bar.fields["more"]) for bar in bars.progress.tasks]
        bars.show("infer_shard 1: done in 2 s: fine")
        left = [bar.description for bar in bars.progress.tasks]
    assert counts == [("shard 1", 9, 10, "2.0 users/s"), ("shard 2", 1, 10, "")]
    assert left == ["shard 2"]


def test_log_shows_the_lines() -> None:
    shown: list[str] = []
    out = io.StringIO()
    with job_bars(Console(file=out), shown.append) as bars:
        bars.tell(Told("infer_shard 1", "shard 1", 5, 10, "users", HALF))
        bars.show("infer_shard 1: done in 2 s: fine")
    assert shown == [f"infer_shard 1: {HALF}", "infer_shard 1: done in 2 s: fine"]
    assert out.getvalue() == ""
