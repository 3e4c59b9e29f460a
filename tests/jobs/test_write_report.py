import json
from pathlib import Path

import pytest

from jobs import write_report
from jobs._cli import EXIT_NO_RETRY, run_job
from recthinker.inference.plan import InferencePlan
from tests.report import night_world, small_night

ARGUMENTS = ["--ds", night_world.DS, "--run-id", night_world.RUN_ID]


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published night under the folder that the settings name."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(tmp_path))
    night_world.write(tmp_path / "warehouse")
    night_world.write_stages(run_dir(tmp_path))
    model = tmp_path / "model"
    model.mkdir()
    plan = InferencePlan(
        ds=night_world.DS,
        run_id=night_world.RUN_ID,
        model_version=night_world.MODEL,
        model_path=str(model),
        prompt_version="p",
        snapshot="",
        shards=[0],
        users=night_world.USERS,
        table_versions={},
    )
    plan.write(run_dir(tmp_path))
    return tmp_path


def run_dir(var: Path) -> Path:
    return var / "runs" / night_world.DS / night_world.RUN_ID


def test_job_writes_page_and_copy_and_names_the_page(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("write_report", write_report.run, argv=ARGUMENTS) == 0
    page = run_dir(var) / "report.html"
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"report of 60 users written to {page}")
    assert "There is no offline evaluation for model" in page.read_text(encoding="utf-8")
    assert (var / "reports" / f"{night_world.DS}.html").read_bytes() == page.read_bytes()


def test_job_shows_the_evaluation_kept_with_the_model(var: Path) -> None:
    (var / "model" / "evaluation.json").write_text(json.dumps(small_night.evaluation()), encoding="utf-8")
    assert run_job("write_report", write_report.run, argv=ARGUMENTS) == 0
    page = (run_dir(var) / "report.html").read_text(encoding="utf-8")
    assert "NDCG@10" in page
    assert "There is no offline evaluation" not in page


def test_job_run_twice_leaves_the_same_page(var: Path) -> None:
    page = run_dir(var) / "report.html"
    run_job("write_report", write_report.run, argv=ARGUMENTS)
    first = page.read_bytes()
    run_job("write_report", write_report.run, argv=ARGUMENTS)
    assert page.read_bytes() == first


def test_job_without_rows_fails_for_good_and_keeps_the_old_page(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = run_dir(var) / "report.html"
    page.write_text("old")
    arguments = ["--ds", night_world.DS, "--run-id", "other"]
    assert run_job("write_report", write_report.run, argv=arguments) == EXIT_NO_RETRY
    assert "write_report failed: TableContractError" in capsys.readouterr().out
    assert page.read_text() == "old"
