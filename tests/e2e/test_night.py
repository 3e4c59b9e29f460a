"""A whole night on the tiny world: every job in the order of the DAG; the scripted engine, then vLLM, toy model."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from jobs import (
    build_candidates,
    build_features,
    infer_shard,
    ingest,
    log_night,
    plan_inference,
    publish_recommendations,
    write_report,
    write_snapshot,
)
from jobs._cli import run_job
from recthinker.agent import CompactFormat, train_tokenizer
from recthinker.settings import load_settings
from recthinker.tables.arrow import read_arrow
from recthinker.tables.schemas import RECOMMENDATIONS, RUN_MANIFEST, TRAJECTORIES, USER_HISTORY
from recthinker.tools import BUILT_IN
from recthinker.training.tiny import new_model, save_model
from tests import tiny_world

pytestmark = [pytest.mark.e2e, pytest.mark.spark, pytest.mark.slow]

USERS = 12
RunJob = Callable[..., int]


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("night") / "var"


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights with a tokenizer of the tiny world's titles."""
    folder = tmp_path_factory.mktemp("model")
    settings = load_settings("test", environ={})
    chat = CompactFormat(train_tokenizer(tiny_world.TITLES, 400, BUILT_IN))
    save_model(new_model(chat, settings.model, max_length=settings.agent.max_episode_tokens, seed=1), chat, folder)
    return folder


@pytest.fixture
def environment(var: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RECTHINKER_ENV": "test",
        "RECTHINKER__PATHS__VAR": str(var),
        "RECTHINKER__MODEL__PATH": str(model_dir),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def job(environment: None, spark: object) -> RunJob:
    """Runs a job in this process; its exit code."""

    def run(module: ModuleType, *arguments: str, run_id: str = "first", ds: str = tiny_world.DS) -> int:
        name = module.__name__.removeprefix("jobs.")
        return run_job(
            name,
            module.run,
            getattr(module, "add_arguments", None),
            ["--ds", ds, "--run-id", run_id, *arguments],
        )

    return run


def night(job: RunJob, var: Path, run_id: str) -> None:
    for module in (build_features, build_candidates, write_snapshot, plan_inference):
        assert job(module, run_id=run_id) == 0
    plan = json.loads((var / "runs" / tiny_world.DS / run_id / "inference_plan.json").read_text())
    assert plan["users"] == USERS
    for shard in plan["shards"]:
        assert job(infer_shard, "--shard", str(shard), run_id=run_id) == 0
    for module in (publish_recommendations, write_report, log_night):
        assert job(module, run_id=run_id) == 0


def ranked(var: Path) -> list[tuple[str, int, str]]:
    rows = read_arrow(var / "warehouse", RECOMMENDATIONS, ds=tiny_world.DS).to_pylist()
    return sorted((row["user_id"], row["rank"], row["item_id"]) for row in rows)


def test_a_night_serves_every_user_and_again_gives_the_same_rows(job: RunJob, var: Path, tmp_path: Path) -> None:
    source = tiny_world.write_recbole_files(tmp_path / "tiny")
    assert job(ingest, "--source", "movielens", "--path", str(source)) == 0
    night(job, var, "first")
    first = ranked(var)
    warehouse = var / "warehouse"
    seen = {
        row["user_id"]: {event["item_id"] for event in row["events"]}
        for row in read_arrow(warehouse, USER_HISTORY, ds=tiny_world.DS).to_pylist()
    }
    by_user: dict[str, list[str]] = {}
    for user, rank, item in first:
        by_user.setdefault(user, []).append(item)
        assert rank == len(by_user[user])
    assert set(by_user) == set(seen)
    for user, items in by_user.items():
        assert len(items) == len(set(items)) == 5
        assert not set(items) & seen[user]
    assert read_arrow(warehouse, TRAJECTORIES, ds=tiny_world.DS).num_rows == USERS
    (manifest,) = read_arrow(warehouse, RUN_MANIFEST, ds=tiny_world.DS).to_pylist()
    assert sum(count for _, count in manifest["outcomes"]) == manifest["users"] == USERS
    page = (var / "runs" / tiny_world.DS / "first" / "report.html").read_text()
    assert any(user in page for user in seen), "no user's story is told"
    night(job, var, "second")
    assert ranked(var) == first


def test_a_night_that_fails_leaves_the_published_rows(job: RunJob, var: Path) -> None:
    before = ranked(var)
    run_dir = var / "runs" / tiny_world.DS / "second"
    shard = json.loads((run_dir / "inference_plan.json").read_text())["shards"][0]
    (run_dir / "shards" / str(shard)).rename(run_dir / "shards" / "gone")
    assert job(publish_recommendations, run_id="second") == 42
    assert ranked(var) == before


@pytest.mark.vllm
def test_vllm_serves_the_same_users_with_a_toy_model(job: RunJob, var: Path) -> None:
    """Random weights write no valid turn: every answer is forced, and read from real label log-probabilities."""
    run_id = "vllm"
    for module in (write_snapshot, plan_inference):
        assert job(module, run_id=run_id) == 0
    environment = os.environ | {"RECTHINKER__INFERENCE__ENGINE": "vllm"}
    shard_dirs = var / "runs" / tiny_world.DS / run_id / "shards"
    shards = json.loads((shard_dirs.parent / "inference_plan.json").read_text())["shards"]
    outcomes: dict[str, int] = {}
    for shard in shards[:1]:
        command = [sys.executable, "-m", "jobs.infer_shard", "--ds", tiny_world.DS, "--run-id", run_id]
        done = subprocess.run(
            [*command, "--shard", str(shard)], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        summary = json.loads((shard_dirs / str(shard) / "summary.json").read_text())
        outcomes = summary["outcomes"]
        assert sum(outcomes.values()) == summary["users"] > 0
    assert set(outcomes) <= {"ranked", "repaired"}
