"""The gate as a job: the figures of two versions on disk, a real registry."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from jobs import promote_model
from jobs._cli import EXIT_NO_RETRY, run_job
from recthinker.evaluation import UserFigures, keep_evaluation, target_hashes, write_targets
from recthinker.registry import ModelVersion, Registry, Retrainings
from recthinker.settings import load_settings
from tests.evaluation.test_gate import BETTER, CHAMPION
from tests.training.test_plan_text import plan

pytestmark = pytest.mark.slow  # importing MLflow and migrating its database take seconds

DS, RUN_ID = "2024-03-10", "r1"
Figures = Callable[[ModelVersion, UserFigures], None]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_database: Path) -> Registry:
    """Two versions under their aliases; the challenger tells its training targets."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(tmp_path / "var"))
    (tmp_path / "var" / "mlflow").mkdir(parents=True)
    shutil.copy(migrated_database, tmp_path / "var" / "mlflow" / "mlflow.db")
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
        keep_evaluation(tmp_path / "var" / "runs" / DS / RUN_ID, str(version), EVALUATION, figures)

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


@pytest.mark.parametrize(("lead", "serves"), [(0.2, True), (0.0, False)])
def test_where_nothing_serves_yet_it_has_to_be_better_than_popularity(
    registry: Registry, keep: Figures, lead: float, serves: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    MlflowClient(registry.tracking_uri).delete_registered_model_alias("recthinker", "champion")
    new = registry.aliased("challenger")
    assert new is not None
    keep(new, replace(CHAMPION, popularity_ndcg=CHAMPION.ndcg - lead))
    assert ask() == 0
    assert (
        f"recthinker/2 against popularity: {'promoted' if serves else 'refused (not_better)'}"
        in capsys.readouterr().out
    )
    assert registry.champion() == (new if serves else None)


def test_a_model_by_path_is_what_it_has_to_be_better_than(
    registry: Registry,
    keep: Figures,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RECTHINKER__MODEL__PATH", str(tmp_path / "old"))
    serving, new = Registry(load_settings()).resolve(), registry.aliased("challenger")
    assert new is not None
    keep(serving, CHAMPION)
    keep(new, BETTER)
    assert ask() == 0
    told = capsys.readouterr().out
    assert f"recthinker/2 against {serving}: promoted" in told
    assert f"model.path still serves {serving}" in told
    assert registry.champion() == new


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


EVALUATION: dict[str, object] = {
    **{"protocol": "p", "protocol_name": "leave_last_one", "users": 400, "k": 10, "requests": "r", "paired": []},
    "cost": {"calls": 2.0, "seconds_per_user": 0.01},
    "systems": [
        {
            "name": name,
            **{f"{metric}{part}": value for metric in ("ndcg", "hr", "mrr") for part in ("", "_low", "_high")},
        }
        for name, value in (("agent", 0.65), ("fusion of tools", 0.5))
    ],
}


@pytest.fixture
def retraining(registry: Registry, keep: Figures, tmp_path: Path) -> Callable[..., Run]:
    """Asks the gate for a retraining whose challenger was measured; the run `evaluate` of it."""

    def ask_for(challenger: UserFigures, **changes: object) -> Run:
        settings = load_settings()
        old, new = registry.resolve(), registry.aliased("challenger")
        assert new is not None
        keep(old, CHAMPION)
        keep(new, challenger)
        parent = Retrainings(settings).open(DS, RUN_ID)
        run_dir = settings.paths.runs / DS / RUN_ID
        planned = plan(settings, mlflow_run=parent, champion=str(old), **changes)
        planned.write(run_dir)
        Retrainings(settings).log_plan(parent, asdict(planned), {}, planned.cut)
        assert ask() == 0
        client = MlflowClient(registry.tracking_uri)
        [run] = client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{parent}'")
        assert client.get_run(parent).data.tags["promoted"] == run.data.tags["promoted"]
        return run

    return ask_for


def test_decision_of_a_retraining_is_in_its_run_and_on_the_card(
    registry: Registry, retraining: Callable[..., Run]
) -> None:
    run = retraining(BETTER)
    assert (run.info.run_name, run.info.status) == ("evaluate", "FINISHED")
    assert {"promoted": "true", "gate": "passed", "gate.reasons": "none"}.items() <= run.data.tags.items()
    assert run.data.params["challenger"] == "recthinker/2"
    metrics = run.data.metrics
    assert metrics["challenger/agent/ndcg"] == metrics["champion/agent/hr_low"] == 0.65
    assert metrics["challenger/fusion_of_tools/mrr"] == 0.5
    assert metrics["gate/difference"] == pytest.approx(0.05)
    # 1.5 times the champion's 0.01 s
    assert metrics["gate/slower_bound"] == pytest.approx(0.015)
    client = MlflowClient(registry.tracking_uri)
    assert {entry.path for entry in client.list_artifacts(run.info.run_id)} == {"evaluation.json", "gate.json"}
    new = registry.champion()
    assert str(new) == "recthinker/2"
    assert new is not None
    card = (new.path / "README.md").read_text(encoding="utf-8")
    assert "| agent | 0.6500 [0.6500, 0.6500] |" in card
    assert "The gate, against recthinker/1: promoted: NDCG differs by" in card
    logged = client.get_logged_model(registry.logged_model(new))
    assert {metric.key: metric.value for metric in logged.metrics or []}["ndcg"] == 0.65


def test_plan_that_lets_nothing_move_decides_only(
    registry: Registry, retraining: Callable[..., Run], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = retraining(BETTER, promote=False)
    assert {"promoted": "false", "gate": "passed"}.items() <= run.data.tags.items()
    assert str(registry.champion()) == "recthinker/1"
    assert "promoted: NDCG differs" in (said := capsys.readouterr().out)
    assert "the plan lets nothing move" in said
    kept = json.loads((tmp_path / "var" / "runs" / DS / RUN_ID / "gate.json").read_text(encoding="utf-8"))
    assert (kept["is_promoted"], kept["moves"]) == (True, False)


def test_refusal_of_a_retraining_names_its_reasons_and_is_logged_once(
    registry: Registry, retraining: Callable[..., Run]
) -> None:
    slow = replace(BETTER, seconds_per_user=1.0)
    run = retraining(slow)
    assert {"promoted": "false", "gate": "refused", "gate.reasons": "slower"}.items() <= run.data.tags.items()
    assert retraining(slow).info.run_id == run.info.run_id
