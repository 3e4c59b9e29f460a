"""A retraining's jobs and an MLflow that is there, or away."""

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from recthinker.registry import Registry, Retrainings
from recthinker.settings import Settings
from recthinker.training.tracking import log_end, log_result
from tests.training.blank_retraining import DS, RUN_ID, result
from tests.training.test_plan_text import plan

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds


def test_stage_and_end_are_logged_to_the_plans_run(settings: Settings, tmp_path: Path) -> None:
    made = plan(settings, mlflow_run=Retrainings(settings).open(DS, RUN_ID))
    run_id = log_result(settings, made, result("sft"))
    page = tmp_path / "retrain_report.html"
    page.write_text("<p>", encoding="utf-8")
    log_end(settings, made, page)
    client = MlflowClient(Registry(settings).tracking_uri)
    assert run_id
    assert client.get_run(run_id).data.tags["mlflow.parentRunId"] == made.mlflow_run
    assert client.get_run(made.mlflow_run).info.status == "FINISHED"
    assert [entry.path for entry in client.list_artifacts(made.mlflow_run)] == ["retrain_report.html"]


def test_mlflow_that_is_away_is_a_warning(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = settings.registry.model_copy(update={"tracking_uri": "http://127.0.0.1:9"})
    elsewhere = settings.model_copy(update={"registry": away})
    made = plan(settings, mlflow_run="abc")
    assert log_result(elsewhere, made, result("sft")) is None
    log_end(elsewhere, made, tmp_path / "page.html")
    assert "stage not logged ds=2024-03-10 run_id=r1 stage=sft" in caplog.text
    assert "end not logged ds=2024-03-10 run_id=r1" in caplog.text
