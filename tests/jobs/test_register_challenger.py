"""The job that registers the model of a retraining: stages that are done on disk, a real MLflow."""

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from jobs._cli import EXIT_NO_RETRY
from recthinker.evaluation import read_targets
from recthinker.registry import ModelVersion, Registry, require_model
from recthinker.settings import load_settings
from recthinker.training.stage import stage_folder
from tests.jobs.retraining import challenge, plan, run_dir, written
from tests.training.blank_retraining import DS, RUN_ID, finish

pytestmark = pytest.mark.slow  # importing MLflow takes seconds

STAGES = ("base", "collect", "select", "sft")
Out = pytest.CaptureFixture[str]


@pytest.fixture
def trained(champion: ModelVersion, var: Path) -> Path:
    """The folder of a run whose plan ends with SFT, all of which is done."""
    assert plan("--stages", ",".join(STAGES)) == 0
    for stage in STAGES:
        finish(run_dir(var), stage, text="sft" if stage == "sft" else None)
    return run_dir(var)


def waiting() -> ModelVersion | None:
    return Registry(load_settings()).aliased("challenger")


def test_model_of_the_last_stage_waits_with_card_signature_and_targets(
    trained: Path, champion: ModelVersion, var: Path, capsys: Out
) -> None:
    assert challenge() == 0
    assert "recthinker/2 waits as challenger" in capsys.readouterr().out
    version = waiting()
    assert version is not None
    require_model(version.path)
    assert (version.path / "model.safetensors").read_text(encoding="utf-8") == "model.safetensors of sft"
    assert read_targets(version.path) is not None
    assert "| select | Did select. |" in (version.path / "README.md").read_text(encoding="utf-8")
    assert (version.path / "MLmodel").is_file()
    assert Registry(load_settings()).champion() == champion
    parent = written(var).mlflow_run
    client = MlflowClient(f"sqlite:///{var / 'mlflow' / 'mlflow.db'}")
    found = client.get_model_version("recthinker", "2")
    assert found.run_id == parent
    wanted = {"ds": DS, "run_id": RUN_ID, "stages": "base, collect, select, sft", "retraining": parent}
    assert {**wanted, "started_from": "recthinker/1"}.items() <= found.tags.items()
    logged = client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{parent}'")
    assert sorted(run.info.run_name for run in logged) == sorted(STAGES)


def test_model_that_is_registered_already_is_not_registered_again(trained: Path, capsys: Out) -> None:
    assert challenge() == 0
    first = waiting()
    assert challenge() == 0
    assert waiting() == first
    assert "recthinker/2 waits" in capsys.readouterr().out.splitlines()[-1]


def test_stage_that_ran_again_makes_another_version(trained: Path) -> None:
    assert challenge() == 0
    finish(trained, "sft", text="another sft")
    assert challenge() == 0
    assert str(waiting()) == "recthinker/3"


def test_model_without_its_training_targets_is_refused(trained: Path, capsys: Out) -> None:
    (stage_folder(trained, "sft") / "model" / "training_targets.npy").unlink()
    assert challenge() == EXIT_NO_RETRY
    assert "stage sft should tell its training targets" in capsys.readouterr().out
    assert waiting() is None


def test_last_trained_stage_has_to_be_done(champion: ModelVersion, var: Path, capsys: Out) -> None:
    assert plan() == 0
    finish(run_dir(var), "sft", text="sft")
    assert challenge() == EXIT_NO_RETRY
    assert "stage rl" in (said := capsys.readouterr().out)
    assert "is not done" in said
    finish(run_dir(var), "rl", text="rl")
    assert challenge() == 0
    version = waiting()
    assert version is not None
    assert (version.path / "model.safetensors").read_text(encoding="utf-8") == "model.safetensors of rl"


def test_plan_that_trains_nothing_to_serve(champion: ModelVersion, var: Path, capsys: Out) -> None:
    assert plan("--stages", "base,collect") == 0
    assert challenge() == EXIT_NO_RETRY
    assert "base, collect train no model that may serve" in capsys.readouterr().out
