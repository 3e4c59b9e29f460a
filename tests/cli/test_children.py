"""Child processes of the command line: what is shown, what is logged, how a failure is told."""

import sys
from pathlib import Path

import pytest

from recthinker.cli.children import readable, run_child
from recthinker.cli.told import Told
from recthinker.errors import JobError


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "2026-11-23 05:56:44,299 INFO recthinker.tables.store wrote table=items",
            "ingest: wrote table=items",
        ),
        ("2026-11-23 05:56:44,299 WARNING jobs.ingest two rows", "ingest: two rows"),
        ("2026-11-23 05:56:44,299 INFO py4j.clientserver noise", None),
        ("ingest done in 3.2 s: 5 rows", "ingest: done in 3.2 s: 5 rows"),
        ("ingest failed: SourceError: no such file", "ingest: failed: SourceError: no such file"),
        ("base training: 80/500, loss 1.234", "ingest: base training: 80/500, loss 1.234"),
        ("base  ██░░ 80/500, loss 1.234", "ingest: base  ██░░ 80/500, loss 1.234"),
        ("[infer_shard 1] infer_shard done in 2 s: fine", "infer_shard 1: done in 2 s: fine"),
        ("[infer_shard 1] shard 1: 5/10 users", "infer_shard 1: shard 1: 5/10 users"),
        ("2026-11-23T05:25:45.272417Z [info     ] [DAG TEST] starting", None),
        ("Setting Spark log level", None),
        ("", None),
    ],
)
def test_readable_keeps_what_people_want(line: str, shown: str | None) -> None:
    assert readable(line, "ingest") == shown


def test_child_is_logged_whole_and_shown_in_part(tmp_path: Path) -> None:
    log, shown = tmp_path / "logs" / "run.log", list[str]()
    code = "print('noise'); print('job done in 1 s: fine')"
    last_line = run_child([sys.executable, "-c", code], label="job", log=log, show=shown.append)
    assert last_line == "job done in 1 s: fine"
    assert shown == ["job: done in 1 s: fine"]
    assert log.read_text(encoding="utf-8") == "noise\njob done in 1 s: fine\n"


def test_progress_is_told_instead_of_shown(tmp_path: Path) -> None:
    told, shown = list[Told](), list[str]()
    code = "print('[infer_shard 1] shard 1: 5/9 users, 2.0 users/s'); print('job done in 1 s: fine')"
    child = [sys.executable, "-c", code]
    run_child(child, label="job", log=tmp_path / "run.log", show=shown.append, tell=told.append)
    line = "shard 1: 5/9 users, 2.0 users/s"
    assert told == [Told("infer_shard 1", "shard 1", 5, 9, "users, 2.0 users/s", line)]
    assert shown == ["job: done in 1 s: fine"]


def test_failed_child_names_its_log_and_last_lines(tmp_path: Path) -> None:
    code = "import sys; print('before'); sys.exit('what went wrong')"
    with pytest.raises(JobError, match=r"job exited 1; .*run\.log, the end of it:\nbefore\nwhat went wrong"):
        run_child([sys.executable, "-c", code], label="job", log=tmp_path / "run.log", show=lambda text: None)
