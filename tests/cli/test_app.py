"""The command line as users meet it: help, errors in one sentence, the doctor."""

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from recthinker.cli.doctor import doctor
from recthinker.settings import Settings


def recthinker(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    code = "from recthinker.cli.app import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, env=environ
    )


def test_help_lists_the_commands() -> None:
    shown = recthinker("--help").stdout
    for command in ("doctor", "ingest", "nightly", "evaluate", "rollback", "show"):
        assert command in shown


def test_unknown_setting_ends_with_one_sentence() -> None:
    found = recthinker("doctor", RECTHINKER__AGENT__MAX_CALL="3")
    assert found.returncode == 1
    assert found.stderr == "recthinker: settings: unknown key agent.max_call; did you mean max_calls?\n"


def test_rollback_without_a_model_ends_with_one_sentence(tmp_path: Path) -> None:
    found = recthinker("rollback", RECTHINKER__PATHS__VAR=str(tmp_path / "var"))
    assert found.returncode == 1
    assert found.stderr == "recthinker: no version of model recthinker has the alias champion\n"


def test_date_that_is_none_is_refused() -> None:
    found = recthinker("nightly", "--ds", "yesterday")
    assert found.returncode != 0
    assert "yesterday" in found.stderr
    assert "Traceback" not in found.stderr


def test_failed_job_ends_with_its_own_sentence(tmp_path: Path) -> None:
    found = recthinker("ingest", "movielens", str(tmp_path / "none"), RECTHINKER__PATHS__VAR=str(tmp_path / "var"))
    assert found.returncode == 1
    assert "SourceError" in found.stdout
    assert "Traceback" not in found.stderr


def test_doctor_of_an_empty_place_says_what_is_missing(settings: Settings) -> None:
    console = Console(record=True, width=250)
    assert not doctor(settings, console)
    text = console.export_text()
    assert "wrong  tables: table interactions is not under" in text
    assert "recthinker ingest" in text
    assert "wrong  model: no version of model recthinker has the alias champion" in text
    assert "ok  disk:" in text


def test_doctor_tells_where_a_setting_comes_from(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECTHINKER__AGENT__SEED", "1")
    console = Console(record=True, width=250)
    doctor(settings, console)
    rows = {line.split()[0]: line.split()[1:] for line in console.export_text().splitlines() if "." in line}
    assert rows["agent.seed"] == ["1", "RECTHINKER__AGENT__SEED"]
    assert rows["inference.engine"] == ["scripted", "overlay"]
    assert rows["agent.max_calls"] == ["5"]
