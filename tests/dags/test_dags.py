"""The DAGs as Airflow loads them: whole, in order, documented, light."""

import subprocess
import sys

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, TriggerRule

from recthinker.settings import load_settings

IDS = ("evaluate_recthinker", "feature_tables", "nightly_recommendations", "retrain_recthinker", "table_upkeep")
HEAVY = {"mlflow", "pandas", "pyarrow", "pyspark", "torch", "transformers", "vllm"}


@pytest.fixture
def nightly(bag: DagBag) -> DAG:
    return bag.dags["nightly_recommendations"]


def test_dags_load_without_errors(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert sorted(bag.dags) == sorted(IDS)


@pytest.mark.parametrize("dag_id", IDS)
def test_dag_is_documented_owned_and_bounded(bag: DagBag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert dag.doc_md
    assert "Param `day`" in dag.doc_md
    assert "recthinker" in dag.tags
    assert dag.max_active_runs == 1
    assert not dag.catchup
    for task in dag.tasks:
        assert task.owner == "recthinker", task.task_id
        assert task.execution_timeout, task.task_id
        assert task.retries == load_settings("test", environ={}).orchestration.retries, task.task_id


def test_night_runs_its_tasks_in_order(nightly: DAG) -> None:
    downstream = {task.task_id: set(task.downstream_task_ids) for task in nightly.tasks}
    day_readers = downstream.pop("resolve_day")
    assert day_readers == set(downstream)  # every task gets D from the one rule
    assert downstream == {
        "features.build_features": {"build_candidates"},
        "build_candidates": {"write_snapshot"},
        "write_snapshot": {"plan_inference"},
        "plan_inference": {"infer_shard"},
        "infer_shard": {"publish_recommendations"},
        "publish_recommendations": {"write_report", "log_night"},
        "write_report": set(),
        "log_night": set(),
    }


def test_feature_tables_holds_the_same_task_group(bag: DagBag, nightly: DAG) -> None:
    groups = [dag.task_group.get_task_group_dict()["features"] for dag in (bag.dags["feature_tables"], nightly)]
    assert set(groups[0].children) == set(groups[1].children) == {"features.build_features"}
    assert set(bag.dags["feature_tables"].task_ids) == {"resolve_day", "features.build_features"}


def test_upkeep_runs_its_job(bag: DagBag) -> None:
    assert set(bag.dags["table_upkeep"].task_ids) == {"resolve_day", "maintain_tables"}


def test_nothing_runs_unless_all_before_it_succeeded(nightly: DAG) -> None:
    assert {task.trigger_rule for task in nightly.tasks} == {TriggerRule.ALL_SUCCESS}


def test_shards_share_the_pool_of_the_settings(nightly: DAG) -> None:
    infer = nightly.get_task("infer_shard")
    assert infer.is_mapped
    assert infer.pool == load_settings("test", environ={}).orchestration.inference_pool


@pytest.mark.parametrize("dag_id", IDS)
def test_importing_a_dag_loads_nothing_heavy(dag_id: str) -> None:
    code = f"import sys, dags.{dag_id}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_dag_files_parse_in_well_under_a_second(bag: DagBag) -> None:
    assert max(stat.duration.total_seconds() for stat in bag.dagbag_stats) < 1.0
