"""What the job of a stage does around the stage itself."""

from pathlib import Path

import pytest

from jobs._cli import EXIT_NO_RETRY, Job, run_job, run_stage
from recthinker.settings import Settings
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import StageResult, stage_folder
from tests.jobs.retraining import plan, run_dir, written
from tests.training.blank_retraining import DS, RUN_ID, finish, result

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds

MADE: list[tuple[RetrainPlan, Settings]] = []


def select(job: Job) -> str:
    """The job of a stage that notes what it was made with."""

    def make(plan: RetrainPlan, settings: Settings) -> StageResult:
        MADE.append((plan, settings))
        result("select").write(stage_folder(job.run_dir, "select"))
        return result("select")

    return run_stage(job, "select", make)


def run() -> int:
    return run_job("select_episodes", select, argv=["--ds", DS, "--run-id", RUN_ID])


def test_stage_is_made_by_the_settings_of_the_plan_and_once(
    var: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    MADE.clear()
    assert plan("--stages", "collect,select", "--seed", "3") == 0
    monkeypatch.setenv("RECTHINKER__TRAINING__SEED", "8")
    monkeypatch.setenv("RECTHINKER__RL__STEPS", "9")
    monkeypatch.setenv("RECTHINKER__REPORT__STORIES", "1")
    assert run() == 0
    ((made_of, settings),) = MADE
    assert made_of == written(var)
    assert settings.training.seed == 3
    assert settings.rl.steps == made_of.settings["rl"]["steps"] != 9
    # What a plan does not hold is as it is now.
    assert settings.report.stories == 1
    assert run() == 0
    assert len(MADE) == 1
    assert "done before: Did select." in capsys.readouterr().out


def test_stage_that_is_not_planned_is_left_out(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    MADE.clear()
    finish(run_dir(var), "select")
    finish(run_dir(var), "base", text="base")
    assert plan("--stages", "sft") == 0
    assert run() == 0
    assert not MADE
    assert "select is none of this run's stages (sft)" in capsys.readouterr().out


def test_stage_of_a_run_without_a_plan_is_refused(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == EXIT_NO_RETRY
    assert "run plan_retrain with the same --ds and --run-id first" in capsys.readouterr().out
