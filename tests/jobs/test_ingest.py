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


@pytest.mark.parametrize(
    ("source", "option", "takers"),
    [
        ("movielens", ("--items", "items.csv"), "tabular, amazon_reviews, delta"),
        ("amazon_reviews", ("--mapping", "user_id=uid"), "tabular, delta"),
        ("amazon_reviews", ("--event-type", "view"), "tabular, delta"),
        ("tabular", ("--version", "0"), "delta"),
    ],
)
def test_options_of_other_sources_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, source: str, option: tuple[str, str], takers: str
) -> None:
    code, line = ingest(capsys, "--source", source, "--path", str(tmp_path), *option)
    assert code == EXIT_NO_RETRY
    assert f"{option[0]} is for --source {takers}, found --source {source}" in line


@pytest.mark.parametrize("source", ["tabular", "amazon_reviews", "delta"])
def test_each_source_tells_what_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path, source: str) -> None:
    code, line = ingest(capsys, "--source", source, "--path", str(tmp_path / "none.jsonl"))
    assert code == EXIT_NO_RETRY
    assert "SourceError" in line
    assert str(tmp_path / "none.jsonl") in line


def test_missing_folder_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, line = ingest(capsys, "--source", "movielens", "--path", str(tmp_path / "none"))
    assert code == EXIT_NO_RETRY
    assert line.startswith("ingest failed: SourceError: folder")
