"""A retraining in a real MLflow on SQLite: one run, one under it for each stage, however often they are logged."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run, ViewType
from mlflow.tracking import MlflowClient

from recthinker.errors import RegistryError
from recthinker.registry import Registry, Retrainings, TableRead
from recthinker.registry.code import CHECKOUT
from recthinker.settings import Settings
from tests.registry.recorded import episode
from tests.training.blank_retraining import CUT, DS, RUN_ID, result

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds

PLAN: dict[str, Any] = {
    **{"ds": DS, "run_id": RUN_ID, "stages": ["sft"], "champion": "recthinker/3"},
    "settings": {"rl": {"steps": 60}},
}
PARENT = "mlflow.parentRunId"


@pytest.fixture
def retrainings(registry: Registry, settings: Settings) -> Retrainings:
    return Retrainings(settings)


@pytest.fixture
def client(registry: Registry) -> MlflowClient:
    return MlflowClient(registry.tracking_uri)


def stage_runs(client: MlflowClient, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    found = client.get_experiment_by_name("recthinker")
    assert found
    return [run for run in client.search_runs([found.experiment_id], run_view_type=view) if PARENT in run.data.tags]


def tables(run: Run) -> set[tuple[str, str]]:
    return {(entry.dataset.name, entry.dataset.digest) for entry in run.inputs.dataset_inputs} if run.inputs else set()


def test_run_that_was_cut_off_before_its_plan_is_begun_anew(retrainings: Retrainings, client: MlflowClient) -> None:
    cut_off = retrainings.open(DS, RUN_ID)
    client.log_param(cut_off, "rl.steps", "59")
    parent = retrainings.open(DS, RUN_ID)
    assert client.get_run(cut_off).info.lifecycle_stage == "deleted"
    retrainings.log_plan(parent, PLAN, {}, CUT)
    assert retrainings.open(DS, RUN_ID) == parent != cut_off


def test_parent_tells_what_the_retraining_is_and_was_made_with(retrainings: Retrainings, client: MlflowClient) -> None:
    parent = retrainings.open(DS, RUN_ID, like="abc")
    retrainings.log_plan(parent, PLAN, {"user_history": 3}, CUT)
    run = client.get_run(parent)
    assert (run.info.run_name, run.info.status) == (f"retrain {DS}", "RUNNING")
    assert {"kind": "retrain", "ds": DS, "run_id": RUN_ID, "like": "abc"}.items() <= run.data.tags.items()
    assert run.data.params == {"stages": "sft", "champion": "recthinker/3", "rl.steps": "60"}
    assert tables(run) == {(f"{CUT}/user_history", "v3")}
    head = (CHECKOUT / ".git").exists()
    assert len(run.data.tags["mlflow.source.git.commit"]) == (40 if head else len("0.1.0"))
    assert run.data.tags["env.python"] == ".".join(map(str, sys.version_info[:3]))
    assert run.data.tags["env.mlflow"] == "3.17.2"
    environment = Path(client.download_artifacts(parent, "environment.txt")).read_text(encoding="utf-8")
    assert "mlflow==3.17.2\n" in environment


def test_retry_goes_on_in_the_same_run_with_the_same_plan(retrainings: Retrainings, client: MlflowClient) -> None:
    parent = retrainings.open(DS, RUN_ID)
    retrainings.log_plan(parent, PLAN, {"user_history": 3}, CUT)
    retrainings.end(parent, "FAILED")
    assert retrainings.open(DS, RUN_ID) == parent
    retrainings.log_plan(parent, PLAN, {"user_history": 3}, CUT)
    assert client.get_run(parent).info.status == "RUNNING"
    assert len(tables(client.get_run(parent))) == 1
    assert retrainings.open(DS, "other") != parent
    assert retrainings.open("2024-03-11", RUN_ID) != parent


def test_plan_is_found_by_the_parent_and_by_a_stage(retrainings: Retrainings) -> None:
    parent = retrainings.open(DS, RUN_ID)
    assert retrainings.plan_of(parent) is None
    retrainings.log_plan(parent, PLAN, {}, CUT)
    stage = retrainings.log_stage(parent, asdict(result("sft")))
    assert retrainings.plan_of(parent) == retrainings.plan_of(stage) == PLAN
    with pytest.raises(RegistryError, match="run nothing"):
        retrainings.plan_of("nothing")


def test_plan_without_an_mlflow_makes_none(settings: Settings) -> None:
    with pytest.raises(RegistryError, match="there is no MLflow at"):
        Retrainings(settings).plan_of("abc")
    assert not settings.paths.mlflow.exists()


def test_stage_is_a_run_with_figures_curves_texts_and_tables(retrainings: Retrainings, client: MlflowClient) -> None:
    parent = retrainings.open(DS, RUN_ID)
    run_id = retrainings.log_stage(parent, asdict(result("sft")))
    run = client.get_run(run_id)
    assert (run.info.run_name, run.info.status) == ("sft", "FINISHED")
    assert run.info.end_time - run.info.start_time == 60_000
    tags = {PARENT: parent, "ds": DS, "run_id": RUN_ID, "stage": "sft", "mlflow.note.content": "Did sft."}
    assert tags.items() <= run.data.tags.items()
    # A figure that is named as a curve stands aside for it.
    assert run.data.metrics == {"ndcg_at_10": 0.5, "loss": 1.0, "loss_final": 1.25, "seconds": 60.0}
    points = [(point.step, point.value) for point in client.get_metric_history(run_id, "loss")]
    assert points == [(0, 3.0), (10, 2.0), (20, 1.0)]
    assert run.data.params == {"lr": "0.1", "optimizer.name": "adamw"}
    assert Path(client.download_artifacts(run_id, "sample.txt")).read_text(encoding="utf-8") == "[[learned]] read"
    assert tables(run) == tables(client.get_run(parent)) == {(f"{CUT}/user_history", "v3"), ("interactions", "v7")}


def test_stage_with_more_than_mlflow_takes_in_a_call(retrainings: Retrainings, client: MlflowClient) -> None:
    curve = [(step, float(step)) for step in range(2345)]
    params = {f"p{n}": n for n in range(150)}
    stage = asdict(result("rl", curves={"reward": curve}, params=params))
    run_id = retrainings.log_stage(retrainings.open(DS, RUN_ID), stage)
    assert [point.step for point in client.get_metric_history(run_id, "reward")] == list(range(2345))
    assert len(client.get_run(run_id).data.params) == 150


def test_stage_logged_again_is_the_same_run(retrainings: Retrainings, client: MlflowClient) -> None:
    parent = retrainings.open(DS, RUN_ID)
    first = retrainings.log_stage(parent, asdict(result("sft")))
    assert retrainings.log_stage(parent, asdict(result("sft"))) == first
    assert len(stage_runs(client)) == 1
    assert len(client.get_metric_history(first, "loss")) == 3


def test_stage_that_ran_again_takes_the_place_of_its_run(retrainings: Retrainings, client: MlflowClient) -> None:
    parent = retrainings.open(DS, RUN_ID)
    first = retrainings.log_stage(parent, asdict(result("sft")))
    second = retrainings.log_stage(parent, asdict(result("sft", params={"lr": 0.2}, curves={"loss": [(0, 9.0)]})))
    [run] = stage_runs(client)
    assert (run.info.run_id, run.data.params) == (second, {"lr": "0.2"})
    assert client.get_run(first).info.lifecycle_stage == "deleted"


def test_stage_whose_logging_was_cut_off_is_written_anew(
    retrainings: Retrainings, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = retrainings.open(DS, RUN_ID)

    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut_off:
        cut_off.setattr(MlflowClient, "log_text", killed)
        with pytest.raises(KeyboardInterrupt):
            retrainings.log_stage(parent, asdict(result("sft")))
    [half] = stage_runs(client)
    whole = retrainings.log_stage(parent, asdict(result("sft")))
    [run] = stage_runs(client)
    assert run.info.run_id == whole != half.info.run_id
    assert len(client.get_metric_history(whole, "loss")) == 3


def test_stage_killed_while_its_run_was_ended_is_not_left_going_on(
    retrainings: Retrainings, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = retrainings.open(DS, RUN_ID)

    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut_off:
        cut_off.setattr(MlflowClient, "set_terminated", killed)
        with pytest.raises(KeyboardInterrupt):
            retrainings.log_stage(parent, asdict(result("sft")))
    retrainings.log_stage(parent, asdict(result("sft")))
    assert [run.info.status for run in stage_runs(client)] == ["FINISHED"]


def test_episodes_of_a_stage_are_its_traces_once(retrainings: Retrainings, client: MlflowClient) -> None:
    run_id = retrainings.log_stage(retrainings.open(DS, RUN_ID), asdict(result("rl")))
    for _ in range(2):
        retrainings.log_traces(run_id, [episode("ann"), episode("bob")])
    experiment = client.get_run(run_id).info.experiment_id
    found = client.search_traces(locations=[experiment], run_id=run_id)
    assert sorted(trace.info.tags["user_id"] for trace in found) == ["ann", "bob"]


def test_tables_are_held_while_a_retraining_goes_on_and_no_longer(
    retrainings: Retrainings, registry: Registry, client: MlflowClient
) -> None:
    parent = retrainings.open(DS, RUN_ID)
    retrainings.log_stage(parent, asdict(result("sft", tables={"user_history": 3})))
    [read] = registry.table_reads()
    assert (read.table, read.version, read.ds, read.cut) == ("user_history", 3, DS, CUT)
    assert read.going_on_at is not None
    assert abs(datetime.now(UTC) - read.going_on_at) < timedelta(hours=1)
    client.set_tag(parent, "recthinker.touched_ms", "1700000000000")
    assert registry.table_reads()[0].going_on_at == datetime.fromtimestamp(1_700_000_000, UTC)
    retrainings.end(parent, "FINISHED")
    assert registry.table_reads() == []


def test_tables_of_a_registered_model_are_held_after_the_end(
    retrainings: Retrainings, registry: Registry, make_model: Any
) -> None:
    parent = retrainings.open(DS, RUN_ID)
    retrainings.log_stage(parent, asdict(result("base", tables={"user_history": 3})))
    retrainings.log_stage(parent, asdict(result("sft", tables={})))
    registry.register(make_model("new"), parent)
    retrainings.end(parent, "FINISHED")
    assert registry.table_reads() == [TableRead("user_history", 3, DS, CUT, "model recthinker/1")]


def test_end_keeps_the_page(retrainings: Retrainings, client: MlflowClient, tmp_path: Path) -> None:
    parent = retrainings.open(DS, RUN_ID)
    page = tmp_path / "retrain_report.html"
    page.write_text("<p>", encoding="utf-8")
    retrainings.end(parent, "FINISHED", page)
    assert client.get_run(parent).info.status == "FINISHED"
    assert [entry.path for entry in client.list_artifacts(parent)] == ["retrain_report.html"]


def test_code_of_now_differs_from_other_code_by_name(retrainings: Retrainings, client: MlflowClient) -> None:
    parent = retrainings.open(DS, RUN_ID)
    assert retrainings.changed_code(parent) == {}
    client.set_tag(parent, "mlflow.source.git.commit", "abc")
    client.set_tag(parent, "env.old", "1.0")
    changed = retrainings.changed_code(retrainings.log_stage(parent, asdict(result("sft"))))
    assert changed.keys() == {"mlflow.source.git.commit", "env.old"}
    assert (changed["mlflow.source.git.commit"][0], changed["env.old"]) == ("abc", ("1.0", "none"))


def test_mlflow_that_cannot_be_reached_is_a_registry_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = settings.registry.model_copy(update={"tracking_uri": "http://127.0.0.1:9"})
    elsewhere = Retrainings(settings.model_copy(update={"registry": away}))
    with pytest.raises(RegistryError, match=r"http://127\.0\.0\.1:9 did not take or give retraining 2024-03-10/r1"):
        elsewhere.open(DS, RUN_ID)
