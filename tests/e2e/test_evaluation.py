"""From files to the gate's decision on the tiny world: the temporal cut in Spark, the scripted engine."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from jobs import build_features, evaluate_model, ingest, promote_model
from jobs._cli import EXIT_NO_RETRY, run_job
from recthinker.agent import CompactFormat, train_tokenizer
from recthinker.evaluation import UserFigures, target_hashes, write_targets
from recthinker.registry import TEMPORAL_FILE, Registry
from recthinker.settings import load_settings
from recthinker.tools import BUILT_IN
from recthinker.training.tiny import new_model, save_model
from tests import tiny_world

pytestmark = [pytest.mark.e2e, pytest.mark.spark, pytest.mark.slow]

RunJob = Callable[..., int]
RUN_ID = "gate"
PROTOCOL = "temporal:2024-03-06"


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluation") / "var"


@pytest.fixture
def job(var: Path, monkeypatch: pytest.MonkeyPatch, spark: object) -> RunJob:
    """Runs a job in this process; its exit code."""
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    monkeypatch.setenv("RECTHINKER__PATHS__VAR", str(var))

    def run(module: ModuleType, *arguments: str) -> int:
        name = module.__name__.removeprefix("jobs.")
        given = ["--ds", tiny_world.DS, "--run-id", RUN_ID, *arguments]
        return run_job(name, module.run, getattr(module, "add_arguments", None), given)

    return run


def register(folder: Path, alias: str) -> None:
    """A model of random weights under an alias; the scripted engine does not look at them."""
    settings = load_settings()
    chat = CompactFormat(train_tokenizer(tiny_world.TITLES, 400, BUILT_IN))
    save_model(new_model(chat, settings.model, max_length=settings.agent.max_episode_tokens, seed=1), chat, folder)
    write_targets(folder, target_hashes(["u01"], ["i06"]))
    registry = Registry(settings)
    with registry.training_run("train") as run:
        registry.register(folder, run.run_id, alias=alias)


def test_a_model_is_measured_by_time(job: RunJob, var: Path, tmp_path: Path) -> None:
    source = tiny_world.write_recbole_files(tmp_path / "tiny")
    assert job(ingest, "--source", "movielens", "--path", str(source)) == 0
    assert job(build_features, "--cut", PROTOCOL, "--with-candidates") == 0
    (tmp_path / "model").mkdir()
    register(tmp_path / "model", "champion")
    assert job(evaluate_model, "--protocol", PROTOCOL, "--ablations") == 0
    registry = Registry(load_settings())
    found = registry.evaluation(registry.resolve(), TEMPORAL_FILE)
    assert found is not None
    # u12's one event is after the day: nothing is left to know u12 by.
    assert (found["users"], found["left_out_by"]) == (11, {"no event left to know them by": 1})
    quiet = {probe["name"] for probe in found["probes"] if not probe["is_alarm"]}
    assert {"own count", "target in history"} < quiet
    figures = UserFigures.read(var / "runs" / tiny_world.DS / RUN_ID / "evaluation" / "recthinker-1.parquet")
    # Of what u02 did from the sixth on, the newest.
    assert dict(zip(figures.users, figures.targets, strict=True))["u02"] == "i04"


def test_the_gate_decides_on_what_was_measured(
    job: RunJob, var: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register(tmp_path, "challenger")
    assert job(promote_model) == EXIT_NO_RETRY
    assert "run evaluate_model for recthinker/2" in capsys.readouterr().out
    assert job(evaluate_model, "--alias", "challenger", "--protocol", PROTOCOL) == 0
    assert job(promote_model) == 0
    assert "recthinker/2 against recthinker/1: refused (too_few_users): 11 users" in capsys.readouterr().out
    decision = json.loads((var / "runs" / tiny_world.DS / RUN_ID / "gate.json").read_text(encoding="utf-8"))
    # The same planner twice: no difference at all.
    assert decision["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert decision["reasons"][-1] == "not_better"
