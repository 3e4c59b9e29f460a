from pathlib import Path

import pytest

from jobs import write_retrain_report
from jobs._cli import EXIT_NO_RETRY, run_job
from recthinker.evaluation import keep_evaluation
from recthinker.registry import ModelVersion, Registry
from recthinker.settings import load_settings
from tests.evaluation.test_gate import CHAMPION
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


def test_figures_are_those_of_the_run_and_of_the_champion_that_the_gate_compared_with(var: Path) -> None:
    world.write(run_dir(var), world.plan(), world.results(), world.decision(), champion="recthinker/7")
    measured(var, "recthinker/7", 0.6611)
    page = write_page(var)
    assert "0.661" in page
    assert "The challenger was not measured." in page
    assert '<dt>Champion</dt><dd class="mono">recthinker/7</dd>' in page


def test_run_without_a_plan_cannot_be_told(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job("write_retrain_report", write_retrain_report.run, argv=ARGUMENTS) == EXIT_NO_RETRY
    assert "run plan_retrain with the same --ds and --run-id first" in capsys.readouterr().out


@pytest.mark.slow  # importing MLflow and migrating its database take seconds
def test_before_the_gate_the_challenger_is_the_one_that_waits_if_this_run_measured_it(
    var: Path, tmp_path: Path
) -> None:
    waiting = registered(Registry(load_settings()), tmp_path / "new")
    world.write(run_dir(var), world.plan(), {}, None)
    measured(var, world.CHAMPION, 0.6611)
    assert "The challenger was not measured." in write_page(var)
    measured(var, str(waiting), 0.6723)
    page = write_page(var)
    assert "was not measured" not in page
    assert "0.661" in page
    assert "0.672" in page


def measured(var: Path, model: str, ndcg: float) -> None:
    """The run has measured a model."""
    keep_evaluation(run_dir(var), model, world.evaluation(ndcg), CHAMPION)


def registered(registry: Registry, folder: Path) -> ModelVersion:
    """A version that waits at the gate."""
    folder.mkdir()
    for file in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / file).write_text(file, encoding="utf-8")
    with registry.training_run("train") as run:
        return registry.register(folder, run.run_id, alias="challenger")
