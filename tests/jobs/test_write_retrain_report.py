import json
from dataclasses import replace
from pathlib import Path

import pytest

from jobs import write_retrain_report
from jobs._cli import EXIT_NO_RETRY, run_job
from recthinker.registry import ModelVersion, Registry
from recthinker.settings import load_settings
from tests.report import retrain_world as world

ARGUMENTS = ["--ds", world.DS, "--run-id", world.RUN_ID]


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the settings name."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(tmp_path / "var"))
    run_dir(tmp_path / "var").mkdir(parents=True)
    return tmp_path / "var"


def run_dir(var: Path) -> Path:
    return var / "runs" / world.DS / world.RUN_ID


def write_page(var: Path) -> str:
    assert run_job("write_retrain_report", write_retrain_report.run, argv=ARGUMENTS) == 0
    return (run_dir(var) / "retrain_report.html").read_text(encoding="utf-8")


def test_job_writes_page_and_copy_and_says_what_serves(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(run_dir(var), world.plan(), world.results(), world.decision())
    page = write_page(var)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(f"recthinker/5 serves; written to {run_dir(var) / 'retrain_report.html'}")
    copy = var / "reports" / f"retrain-{world.DS}-{world.RUN_ID}.html"
    assert copy.read_text(encoding="utf-8") == page
    assert "serves from now on" in page
    # The run has the settings of conf/base.yaml, whatever overlay is in force.
    assert "None: all are those of conf/base.yaml." in page


def test_job_run_twice_leaves_the_same_page(var: Path) -> None:
    world.write(run_dir(var), world.plan(), world.results(), world.decision())
    assert write_page(var) == write_page(var)


def test_a_run_that_stopped_has_a_page(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(run_dir(var), world.plan(), {}, None, {"plan_retrain": 2.1})
    assert "the run stopped before train_base" in write_page(var)
    assert "nothing decided, stopped before train_base" in capsys.readouterr().out


def test_the_champion_of_the_plan_is_measured(var: Path, tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text(json.dumps(world.evaluation(0.66)), encoding="utf-8")
    plan = replace(world.plan(), champion_path=str(tmp_path))
    world.write(run_dir(var), plan, world.results(), world.decision())
    page = write_page(var)
    assert "0.660" in page
    assert "The challenger was not measured." in page


def test_run_without_a_plan_cannot_be_told(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("write_retrain_report", write_retrain_report.run, argv=ARGUMENTS) == EXIT_NO_RETRY
    assert "run plan_retrain with the same --ds and --run-id first" in capsys.readouterr().out


@pytest.mark.slow  # importing MLflow and migrating its database take seconds
def test_the_challenger_is_the_one_that_this_run_measured(var: Path, tmp_path: Path) -> None:
    registry = Registry(load_settings())
    old, new = (registered(registry, tmp_path / name, ndcg) for name, ndcg in (("old", 0.66), ("new", 0.6723)))
    registry.set_alias(new, "challenger")
    world.write(run_dir(var), replace(world.plan(), champion=str(old), champion_path=str(old.path)), {}, None)
    assert "The challenger was not measured." in write_page(var)
    figures = run_dir(var) / "evaluation" / f"{new.name}-{new.version}.parquet"
    figures.parent.mkdir()
    figures.touch()
    page = write_page(var)
    assert "was not measured" not in page
    assert "0.672" in page


def registered(registry: Registry, folder: Path, ndcg: float) -> ModelVersion:
    """A version with its evaluation."""
    folder.mkdir()
    for file in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / file).write_text(f"{file} of {folder.name}", encoding="utf-8")
    with registry.training_run("train") as run:
        return registry.register(folder, run.run_id, evaluation=world.evaluation(ndcg))
