"""Whole runs of the evaluation DAG inside Airflow, with scripted jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from tests.dags.conftest import DAGS
from tests.dags.scripted import DAY, run_dag, write_jobs

pytestmark = pytest.mark.slow  # migrates Airflow's database and runs its task loop

RunEvaluation = Callable[..., tuple[str, list[list[str]]]]


@pytest.fixture
def run_evaluation(database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunEvaluation:
    """Run the DAG in an empty folder; its final state, and job, day and arguments of each call."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.chdir(tmp_path)

    def run(conf: dict[str, Any] | None = None, failing: str = "") -> tuple[str, list[list[str]]]:
        write_jobs(tmp_path, {"build_features", "evaluate_model"}, {}, failing)
        state, calls = run_dag(DagBag(DAGS).dags["evaluate_recthinker"], tmp_path, conf)
        return state, sorted([call[2], call[0], *call[5:]] for call in calls)

    return run


def cut(day: str) -> list[str]:
    return [day, "build_features", "--cut=holdout_last:1", "--with-candidates"]


def test_one_date_is_cut_and_evaluated(run_evaluation: RunEvaluation) -> None:
    assert run_evaluation() == ("success", [cut(DAY), [DAY, "evaluate_model"]])


def test_each_date_of_a_range_is_evaluated(run_evaluation: RunEvaluation) -> None:
    state, calls = run_evaluation({"from": "1998-04-20", "to": "1998-04-21"})
    assert state == "success"
    first, second = "1998-04-20", "1998-04-21"
    assert calls == [cut(first), [first, "evaluate_model"], cut(second), [second, "evaluate_model"]]


def test_cut_that_fails_is_not_evaluated(run_evaluation: RunEvaluation) -> None:
    assert run_evaluation(failing="build_features --cut=holdout_last:1 --with-candidates") == ("failed", [cut(DAY)])


@pytest.mark.parametrize(
    "conf",
    [
        {"from": "1998-04-20"},
        {"day": "1998-04-20", "from": "1998-04-20", "to": "1998-04-21"},
        {"from": "1998-04-21", "to": "1998-04-20"},
        {"until": "1998-04-21"},
    ],
)
def test_dates_that_cannot_be_meant_fail_before_any_job(run_evaluation: RunEvaluation, conf: dict[str, Any]) -> None:
    assert run_evaluation(conf) == ("failed", [])
