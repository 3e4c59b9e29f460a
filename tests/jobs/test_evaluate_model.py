"""The job that measures a model, where there is none to measure; tests/e2e measures some."""

from pathlib import Path

import pytest

from jobs import evaluate_model
from jobs._cli import EXIT_NO_RETRY, run_job
from tests.jobs.retraining import plan
from tests.training.blank_retraining import DS, RUN_ID

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds


def measure(*arguments: str, run_id: str = RUN_ID) -> int:
    argv = ["--ds", DS, "--run-id", run_id, *arguments]
    return run_job("evaluate_model", evaluate_model.run, evaluate_model.add_arguments, argv)


def test_a_retraining_where_nothing_serves_goes_on(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan() == 0
    assert measure() == 0
    assert "no model serves yet" in capsys.readouterr().out
    # A challenger that is not there, and a run of its own, are to be told.
    assert measure("--alias", "challenger") == EXIT_NO_RETRY
    assert measure(run_id="by-hand") == EXIT_NO_RETRY
