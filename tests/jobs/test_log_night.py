"""The job that logs a night, on a published night and a real MLflow."""

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from jobs import log_night
from jobs._cli import EXIT_NO_RETRY, run_job
from tests.report import night_world

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds

ARGUMENTS = ["--ds", night_world.DS, "--run-id", night_world.RUN_ID]


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published night under the folder that the settings name."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(tmp_path))
    night_world.write(tmp_path / "warehouse")
    return tmp_path


def test_job_logs_the_night_and_an_episode_of_each_outcome(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("log_night", log_night.run, argv=ARGUMENTS) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("with 5 traced episodes")
    client = MlflowClient(f"sqlite:///{var / 'mlflow' / 'mlflow.db'}")
    found = client.get_experiment_by_name("recthinker")
    assert found
    [run] = client.search_runs([found.experiment_id])
    assert (run.info.run_name, run.data.metrics["users"]) == (f"night {night_world.DS}", night_world.USERS)
    traces = client.search_traces(locations=[found.experiment_id], run_id=run.info.run_id)
    outcomes = sorted(trace.info.tags["outcome"] for trace in traces)
    assert outcomes == ["fallback_timeout", "ranked", "ranked", "repaired", "unchanged"]


def test_job_warns_and_goes_on_where_mlflow_cannot_be_reached(
    var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RECTHINKER__REGISTRY__TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert run_job("log_night", log_night.run, argv=ARGUMENTS) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("not logged, the night stays published")
    assert "http://127.0.0.1:9 did not take night" in caplog.text


def test_job_fails_for_good_where_nothing_was_published(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("log_night", log_night.run, argv=["--ds", night_world.DS, "--run-id", "other"]) == EXIT_NO_RETRY
    assert "log_night failed: TableContractError" in capsys.readouterr().out
