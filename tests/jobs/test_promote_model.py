"""The gate as a job: the figures of two versions on disk, a real registry."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jobs import promote_model
from jobs._cli import EXIT_NO_RETRY, run_job
from recthinker.evaluation import UserFigures, target_hashes, write_targets
from recthinker.registry import ModelVersion, Registry
from recthinker.settings import load_settings
from tests.evaluation.test_gate import BETTER, CHAMPION

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds

DS, RUN_ID = "2024-03-10", "r1"
Figures = Callable[[ModelVersion, UserFigures], None]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Two versions under their aliases; the challenger tells its training targets."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(tmp_path / "var"))
    registry = Registry(load_settings())
    for name, alias in (("old", "champion"), ("new", "challenger")):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("config.json", "model.safetensors", "tokenizer.json"):
            (folder / file).write_text(f"{file} of {name}", encoding="utf-8")
        write_targets(folder, target_hashes(["u0"], ["i5"]))
        with registry.training_run("train") as run:
            registry.register(folder, run.run_id, alias=alias)
    return registry


@pytest.fixture
def keep(tmp_path: Path) -> Figures:
    def write(version: ModelVersion, figures: UserFigures) -> None:
        folder = tmp_path / "var" / "runs" / DS / RUN_ID / "evaluation"
        figures.write(folder / f"{version.name}-{version.version}.parquet")

    return write


def ask() -> int:
    return run_job("promote_model", promote_model.run, argv=["--ds", DS, "--run-id", RUN_ID])


def test_a_better_challenger_serves_and_can_be_taken_back(
    registry: Registry, keep: Figures, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old, new = registry.resolve(), registry.aliased("challenger")
    assert new is not None
    keep(old, CHAMPION)
    keep(new, BETTER)
    assert ask() == 0
    assert "recthinker/2 against recthinker/1: promoted" in capsys.readouterr().out
    assert registry.resolve() == new
    kept = registry.evaluation(new, "gate.json")
    assert kept is not None
    assert (kept["is_promoted"], kept["challenger"], kept["champion"]) == (True, "recthinker/2", "recthinker/1")
    assert kept == json.loads((tmp_path / "var" / "runs" / DS / RUN_ID / "gate.json").read_text(encoding="utf-8"))
    assert ask() == 0
    assert "recthinker/2 serves already" in capsys.readouterr().out
    assert registry.evaluation(new, "gate.json") == kept
    registry.rollback()
    assert registry.resolve() == old


def test_a_refusal_is_a_result_and_changes_nothing(
    registry: Registry, keep: Figures, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = registry.resolve(), registry.aliased("challenger")
    assert new is not None
    keep(old, CHAMPION)
    keep(new, replace(BETTER, seconds_per_user=1.0))
    assert ask() == 0
    assert "refused (slower)" in capsys.readouterr().out
    assert registry.resolve() == old
    kept = registry.evaluation(new, "gate.json")
    assert kept is not None
    assert kept["reasons"] == ["slower"]


def test_without_an_evaluation_nothing_is_decided(
    registry: Registry, keep: Figures, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(registry.resolve(), CHAMPION)
    assert ask() == EXIT_NO_RETRY
    assert "run evaluate_model for recthinker/2" in capsys.readouterr().out
