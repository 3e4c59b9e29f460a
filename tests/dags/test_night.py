"""Whole runs of the nightly DAG inside Airflow, with scripted jobs."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from tests.dags.conftest import DAGS
from tests.dags.scripted import DAY, run_dag, write_jobs

pytestmark = pytest.mark.slow  # migrates Airflow's database and runs its task loop

RunNight = Callable[..., tuple[str, list[list[str]]]]


@pytest.fixture
def nightly(database: None, monkeypatch: pytest.MonkeyPatch) -> DAG:
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    return DagBag(DAGS).dags["nightly_recommendations"]  # fresh: a run's conf stays in the params of its DAG object


@pytest.fixture
def run_night(nightly: DAG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunNight:
    """Run the DAG in an empty folder; its final state and the jobs' command lines, in order."""
    monkeypatch.chdir(tmp_path)

    def run(
        shards: list[int], failing: str = "", code: int = 0, conf: dict[str, str] | None = None
    ) -> tuple[str, list[list[str]]]:
        leaves = {"plan_inference": {"inference_plan.json": {"shards": shards}}}
        write_jobs(tmp_path, {task.task_id.split(".")[-1] for task in nightly.tasks}, leaves, failing, code)
        return run_dag(nightly, tmp_path, conf)

    return run


def test_night_runs_every_job_for_one_day_and_run(run_night: RunNight) -> None:
    state, calls = run_night([0, 1])
    assert state == "success"
    names = [call[0] for call in calls]
    assert sorted(names[-2:]) == ["log_night", "write_report"]
    assert names[:-2] == [
        "build_features",
        "build_candidates",
        "write_snapshot",
        "plan_inference",
        "infer_shard",
        "infer_shard",
        "publish_recommendations",
    ]
    assert {tuple(call[1:4]) for call in calls} == {("--ds", DAY, "--run-id")}
    [run_id] = {call[4] for call in calls}
    assert re.fullmatch(r"manual__[A-Za-z0-9._-]+", run_id)
    assert sorted(call[5:] for call in calls if call[0] == "infer_shard") == [
        ["--shard", "0"],
        ["--shard", "1"],
    ]


def test_param_day_reaches_the_jobs(run_night: RunNight) -> None:
    state, calls = run_night([0], conf={"day": "1998-04-01"})
    assert state == "success"
    assert {call[2] for call in calls} == {"1998-04-01"}


def test_future_day_fails_before_any_job(run_night: RunNight) -> None:
    assert run_night([0], conf={"day": "2999-01-01"}) == ("failed", [])


def test_misspelt_param_fails_before_any_job(run_night: RunNight) -> None:
    assert run_night([0], conf={"dya": "1998-04-01"}) == ("failed", [])


def test_night_without_shards_fails_instead_of_skipping(run_night: RunNight) -> None:
    state, calls = run_night([])
    assert state == "failed"
    assert [call[0] for call in calls][-1] == "plan_inference"


@pytest.mark.parametrize("code", [1, 42])
def test_failed_shard_stops_all_after_it(run_night: RunNight, code: int) -> None:
    state, calls = run_night([0, 1], failing="infer_shard --shard 0", code=code)
    assert state == "failed"
    names = [call[0] for call in calls]
    assert names.count("infer_shard") == 2  # the other shard still ran
    assert {"publish_recommendations", "write_report", "log_night"}.isdisjoint(names)


def test_failed_publish_writes_no_report_and_logs_nothing(run_night: RunNight) -> None:
    state, calls = run_night([0], failing="publish_recommendations", code=42)
    assert (state, calls[-1][0]) == ("failed", "publish_recommendations")
