"""The retraining DAG: its order and params, then whole runs of it inside Airflow with scripted jobs."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError

from recthinker.cli.retrain import cut_arguments, steps_of
from recthinker.settings import load_settings
from recthinker.training.retrain_plan import STAGES, RetrainPlan
from tests.dags.conftest import DAGS
from tests.dags.scripted import DAY, run_dag, write_jobs

JOBS = (
    "build_features",
    "plan_retrain",
    "train_base",
    "collect_rollouts",
    "select_episodes",
    "train_sft",
    "train_rl",
    "register_challenger",
    "evaluate_model",
    "evaluate_model",
    "promote_model",
    "write_retrain_report",
)
RunRetrain = Callable[..., tuple[str, list[list[str]]]]


@pytest.fixture
def retrain(monkeypatch: pytest.MonkeyPatch) -> DAG:
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    return DagBag(DAGS).dags["retrain_recthinker"]


@pytest.fixture
def run_retrain(database: None, retrain: DAG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunRetrain:
    """Run the DAG in an empty folder; its final state and the jobs' command lines, in order."""
    monkeypatch.chdir(tmp_path)

    def run(
        conf: dict[str, Any] | None = None,
        *,
        stages: tuple[str, ...] = STAGES,
        failing: str = "",
        code: int = 42,
    ) -> tuple[str, list[list[str]]]:
        plan = RetrainPlan(DAY, "any", stages, "recthinker/1", None, True, "1", {})
        leaves = {"plan_retrain": {"retrain/retrain_plan.json": asdict(plan)}}
        write_jobs(tmp_path, set(JOBS), leaves, failing, code)
        return run_dag(retrain, tmp_path, conf)

    return run


def names(calls: list[list[str]]) -> list[str]:
    return [call[0] for call in calls]


def test_stages_are_those_of_the_plan(retrain: DAG) -> None:
    assert tuple(retrain.params.get_param("stages").schema["items"]["enum"]) == STAGES


def test_what_needs_the_model_side_takes_the_whole_pool(bag: DagBag) -> None:
    orchestration = load_settings("test", environ={}).orchestration
    tasks = {
        task.task_id: task
        for dag_id in ("retrain_recthinker", "evaluate_recthinker")
        for task in bag.dags[dag_id].tasks
    }
    heavy = {name for name, task in tasks.items() if task.pool == orchestration.inference_pool}
    assert heavy == {
        "train_base",
        "collect_rollouts",
        "train_sft",
        "train_rl",
        "evaluate_champion",
        "evaluate_challenger",
        "evaluation.evaluate_model",
    }
    assert {tasks[name].pool_slots for name in heavy} == {orchestration.inference_pool_slots}
    minutes = {tasks[name].execution_timeout.total_seconds() / 60 for name in heavy}
    assert minutes == {orchestration.training_timeout_minutes}


def test_it_runs_by_trigger_alone_unless_a_schedule_is_set(retrain: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    assert retrain.schedule is None
    monkeypatch.setenv("RECTHINKER_ENV", "prod")
    scheduled = DagBag(DAGS).dags["retrain_recthinker"]
    assert scheduled.timetable.expression == load_settings("prod", environ={}).orchestration.retrain_schedule
    assert scheduled.start_date is None


@pytest.mark.slow
def test_every_job_runs_in_order_for_one_day_and_run(run_retrain: RunRetrain) -> None:
    state, calls = run_retrain()
    assert state == "success"
    assert names(calls) == list(JOBS)
    assert {tuple(call[1:4]) for call in calls} == {("--ds", DAY, "--run-id")}
    assert len({call[4] for call in calls}) == 1
    # The same as without Airflow.
    first = [("build_features", *cut_arguments(load_settings("test", environ={}))), ("plan_retrain",)]
    plan = RetrainPlan.read(Path("var/runs", DAY, calls[0][4]))
    assert [(call[0], *call[5:]) for call in calls] == [*first, *steps_of(plan, "challenger")]


@pytest.mark.slow
def test_params_reach_the_plan(run_retrain: RunRetrain) -> None:
    conf = {
        "day": "1998-04-01",
        "stages": ["rl", "sft"],
        "algorithm": "dapo",
        "rl_steps": 1,
        "requests": 9,
        "seed": 0,
        "like": "0123456789abcdef" * 2,
        "promote": False,
    }
    state, calls = run_retrain(conf, stages=("sft", "rl"))
    assert state == "success"
    assert {call[2] for call in calls} == {"1998-04-01"}
    assert calls[1][5:] == [
        "--stages=sft,rl",
        "--algorithm=dapo",
        "--rl-steps=1",
        "--requests=9",
        "--seed=0",
        "--like=0123456789abcdef0123456789abcdef",
        "--no-promote",
    ]
    left_out = {"train_base", "collect_rollouts", "select_episodes"}
    assert names(calls) == [name for name in JOBS if name not in left_out]


@pytest.mark.slow
def test_dry_run_ends_with_the_plan(run_retrain: RunRetrain) -> None:
    state, calls = run_retrain({"dry_run": True})
    assert (state, [[call[0], *call[5:]] for call in calls]) == ("success", [["plan_retrain", "--dry-run"]])


@pytest.mark.slow
@pytest.mark.parametrize("conf", [{"rl_step": 3}, {"day": "2999-01-01"}])
def test_param_that_cannot_be_meant_fails_before_any_job(run_retrain: RunRetrain, conf: dict[str, Any]) -> None:
    assert run_retrain(conf) == ("failed", [])


@pytest.mark.slow
@pytest.mark.parametrize(
    "conf",
    [
        {"rl_steps": 0},
        {"rl_steps": "3"},
        {"algorithm": "ppo"},
        {"stages": ["base", "reward"]},
        {"stages": []},
        {"stages": ["sft", "sft"]},
        {"promote": "yes"},
        {"like": "../night"},
        {"day": "yesterday"},
    ],
)
def test_param_out_of_bounds_is_refused(run_retrain: RunRetrain, conf: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        run_retrain(conf)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failing", "code"), [("train_rl", 42), ("collect_rollouts", 1), ("evaluate_model --alias=challenger", 42)]
)
def test_failed_task_leaves_the_champion_alone(run_retrain: RunRetrain, failing: str, code: int) -> None:
    state, calls = run_retrain(failing=failing, code=code)
    assert state == "failed"
    assert " ".join([calls[-1][0], *calls[-1][5:]]) == failing
    assert "promote_model" not in names(calls)


@pytest.mark.slow
def test_without_a_new_model_there_is_nothing_to_decide(run_retrain: RunRetrain) -> None:
    state, calls = run_retrain(stages=("base", "collect", "select"))
    assert state == "success"
    assert names(calls) == [
        "build_features",
        "plan_retrain",
        "train_base",
        "collect_rollouts",
        "select_episodes",
        "write_retrain_report",
    ]
