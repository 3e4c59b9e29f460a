"""`python -m jobs.ingest`: what it refuses before anything starts, and how it ends."""

from pathlib import Path

import pytest

from jobs._cli import EXIT_NO_RETRY, run_job
from jobs.ingest import add_arguments, run


def ingest(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and last line of the job."""
    code = run_job("ingest", run, add_arguments, list(arguments))
    return code, capsys.readouterr().out.splitlines()[-1]


@pytest.fixture(autouse=True)
def _var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(tmp_path / "var"))


@pytest.mark.parametrize("mapping", ["user_id", "user_id=", "=uid", "user_id=uid,item_id"])
def test_broken_mapping_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, mapping: str) -> None:
    code, line = ingest(capsys, "--source", "tabular", "--path", str(tmp_path), "--mapping", mapping)
    assert code == EXIT_NO_RETRY
    assert "--mapping should be our=theirs pairs" in line


def test_movielens_takes_no_items(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, line = ingest(capsys, "--source", "movielens", "--path", str(tmp_path), "--items", "items.csv")
    assert code == EXIT_NO_RETRY
    assert "--items, --users and --mapping are for --source tabular" in line


def test_missing_folder_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, line = ingest(capsys, "--source", "movielens", "--path", str(tmp_path / "none"))
    assert code == EXIT_NO_RETRY
    assert line.startswith("ingest failed: SourceError: folder")
