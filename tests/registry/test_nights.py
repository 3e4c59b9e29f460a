"""A night in a real MLflow on SQLite: one run, however often it is logged, and its traces."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Run, Trace
from mlflow.tracking import MlflowClient

from recthinker.errors import RegistryError
from recthinker.registry import Registry
from recthinker.settings import Settings
from tests.registry.recorded import DS, RUN_ID, WHEN, episode, failed, manifest

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds


@pytest.fixture
def client(registry: Registry) -> MlflowClient:
    return MlflowClient(registry.tracking_uri)


def experiment(client: MlflowClient) -> str:
    found = client.get_experiment_by_name("recthinker")
    assert found
    return str(found.experiment_id)


def runs(client: MlflowClient) -> list[Run]:
    return list(client.search_runs([experiment(client)]))


def traces(client: MlflowClient, run_id: str | None = None) -> dict[str, Trace]:
    found = client.search_traces(locations=[experiment(client)], run_id=run_id)
    return {trace.info.tags["user_id"]: trace for trace in found}


def test_night_is_a_run_with_its_figures_and_stamps(registry: Registry, client: MlflowClient) -> None:
    run_id = registry.log_night(manifest(), [])
    [run] = runs(client)
    assert (run.info.run_id, run.info.run_name, run.info.status) == (run_id, f"night {DS}", "FINISHED")
    assert run.data.metrics == {
        "users": 3,
        "outcomes.ranked": 2,
        "outcomes.fallback_invalid": 1,
        "rows.recommendations": 6,
        "stage_seconds.infer_shard-0": 12.5,
        "users_per_s": 1.5,
        "tokens.cached": 60,
    }
    wanted = {"ds": DS, "run_id": RUN_ID, "model_version": "recthinker/3", "prompt_version": "p1"}
    assert wanted.items() <= run.data.tags.items()
    assert run.data.tags["table.user_history"] == "7"


def test_night_of_an_earlier_release_has_no_figures_of_its_inference(registry: Registry, client: MlflowClient) -> None:
    registry.log_night(manifest(metrics=None), [])
    assert "users_per_s" not in runs(client)[0].data.metrics


def test_night_logged_again_is_the_same_run_with_the_newer_figures(registry: Registry, client: MlflowClient) -> None:
    first = registry.log_night(manifest(), [episode("ann"), failed("bob")])
    later = manifest(users=4, published_at=WHEN + timedelta(hours=1), table_versions={"user_history": 8})
    again = registry.log_night(later, [episode("ann"), episode("cat")])
    assert again == first
    [run] = runs(client)
    assert (run.data.metrics["users"], run.data.tags["table.user_history"]) == (4, "8")
    assert sorted(traces(client)) == ["ann", "cat"]
    assert len(client.search_traces(locations=[experiment(client)])) == 2


def test_other_run_of_the_date_is_a_run_of_its_own(registry: Registry, client: MlflowClient) -> None:
    first = registry.log_night(manifest(), [episode("ann")])
    second = registry.log_night(manifest(run_id="other"), [episode("ann")])
    assert first != second
    assert len(runs(client)) == 2
    assert list(traces(client, first)) == list(traces(client, second)) == ["ann"]


def test_night_protects_no_table_version(registry: Registry, client: MlflowClient) -> None:
    run_id = registry.log_night(manifest(), [])
    client.update_run(run_id, "RUNNING")  # as a job that was killed leaves it
    assert registry.table_reads() == []


def test_trace_tells_turns_and_calls_with_what_went_in_and_out(registry: Registry, client: MlflowClient) -> None:
    run_id = registry.log_night(manifest(), [episode("ann")])
    trace = traces(client, run_id)["ann"]
    root, *steps = trace.data.spans
    assert (root.inputs, root.outputs["ranking"]) == ({"user_id": "ann", "candidates": ["i1", "i2"]}, ["i2", "i1"])
    assert [(span.name, span.span_type, span.parent_id) for span in steps] == [
        ("turn", "LLM", root.span_id),
        ("item_relations", "TOOL", root.span_id),
        ("turn", "LLM", root.span_id),
    ]
    assert [span.inputs for span in steps] == ["Rank A Heat B Fargo", {"labels": ["B"]}, "B 9 actor"]
    assert [span.outputs for span in steps] == ["call item_relations B", "B 9 actor", "sufficient yes rank B"]
    assert [span.get_attribute("tokens.written") for span in steps] == [2, None, 3]
    assert trace.info.token_usage == {
        "input_tokens": 19,
        "output_tokens": 5,
        "total_tokens": 24,
        "cache_read_input_tokens": 12,
    }
    assert {"ds": DS, "outcome": "ranked"}.items() <= trace.info.tags.items()
    assert trace.info.request_time == int(WHEN.timestamp() * 1000)


def test_trace_of_a_fallback_is_an_error(registry: Registry, client: MlflowClient) -> None:
    registry.log_night(manifest(), [failed("bob")])
    trace = traces(client)["bob"]
    assert (trace.info.state.value, len(trace.data.spans)) == ("ERROR", 1)
    assert trace.data.spans[0].outputs["stop_reason"] == "error: boom"


def test_tracking_address_of_the_process_stays(registry: Registry) -> None:
    before = mlflow.get_tracking_uri()
    registry.log_night(manifest(), [episode("ann")])
    assert mlflow.get_tracking_uri() == before


def test_episode_logged_again_is_the_same_trace_with_what_people_noted(
    registry: Registry, client: MlflowClient
) -> None:
    registry.log_night(manifest(), [episode("ann"), episode("bob")])
    first = traces(client)
    client.set_trace_tag(first["ann"].info.trace_id, "note", "odd")

    registry.log_night(manifest(), [episode("ann"), episode("bob", fingerprint="other")])

    again = traces(client)
    assert again["ann"].info.trace_id == first["ann"].info.trace_id
    assert again["ann"].info.tags["note"] == "odd"
    assert again["bob"].info.trace_id != first["bob"].info.trace_id
    assert again["bob"].data.spans[0].get_attribute("fingerprint") == "other"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:////proc/none/mlflow.db", "sqlite:///{folder}/text.db"])
def test_mlflow_that_cannot_be_reached_is_a_registry_error(
    uri: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / "text.db").write_text("no database, but long enough to be taken for one " * 100)
    away: dict[str, Any] = {"tracking_uri": uri.format(folder=tmp_path)}
    elsewhere = settings.model_copy(update={"registry": settings.registry.model_copy(update=away)})
    with pytest.raises(RegistryError, match=rf"did not take night {DS}.*run jobs.log_night again"):
        Registry(elsewhere).log_night(manifest(), [])
