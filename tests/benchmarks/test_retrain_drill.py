"""The drill's own checks: a state that is right has no fault, and each thing that is wrong is named."""

import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from subprocess import Popen

import pytest

from tests.benchmarks.processes import python, start
from tests.benchmarks.retrain_drill import resumed_at
from tests.benchmarks.retrainings.checks import after_kill, after_retry
from tests.benchmarks.retrainings.moments import BETWEEN, Moment, after, last_checkpoint
from tests.benchmarks.retrainings.state import State
from tests.benchmarks.retrainings.world import RUN_ID, RetrainWorld

BEFORE = State(serving="recthinker/1", versions=1)
STAGES = {"base": "b", "collect": "c", "select": "e", "sft": "s", "rl": "r"}
WHOLE = State(
    serving="recthinker/2",
    waiting="recthinker/2",
    waiting_weights="r",
    versions=2,
    stages=STAGES,
    rollouts=8,
    parents=["FINISHED"],
    nested=[(stage, "FINISHED") for stage in STAGES],
    decision="promoted",
)


def killed(now: State, job: str = "train_rl") -> list[str]:
    return list(after_kill(now, BEFORE, WHOLE, job))


def test_what_a_kill_may_leave_is_no_fault() -> None:
    assert killed(BEFORE) == []
    assert killed(replace(BEFORE, rollouts=8, stages={"base": "b"})) == []
    waits = replace(BEFORE, stages=STAGES, rollouts=8, waiting="recthinker/2", waiting_weights="r")
    assert killed(waits) == []
    assert killed(WHOLE, "promote_model") == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"serving": "recthinker/2"}, "recthinker/2 serves, not recthinker/1"),
        ({"serving": "broken: lacks model.safetensors"}, "lacks model.safetensors serves"),
        ({"waiting": "recthinker/2", "waiting_weights": "other"}, "recthinker/2 waits at the gate, but is not"),
        ({"stages": {"sft": "broken: no file"}}, "stage sft is done, but broken: no file"),
        ({"rollouts": 5}, "5 of 8 rollouts"),
        ({"stages": {"collect": "c"}}, "stage collect is done, but the table has no rollouts"),
        ({"parents": ["RUNNING", "RUNNING"]}, "2 MLflow runs of one retraining"),
    ],
)
def test_what_a_kill_may_not_leave_is_named(wrong: dict[str, object], named: str) -> None:
    [fault] = killed(replace(BEFORE, **wrong))  # type: ignore[arg-type]
    assert named in fault


def test_a_run_that_ends_as_the_undisturbed_one_has_no_fault() -> None:
    assert list(after_retry(WHOLE, WHOLE)) == []
    unlogged = replace(BEFORE, stages={"base": "b"}, nested=[])
    assert list(after_retry(unlogged, replace(unlogged, nested=[("base", "FINISHED")]))) == []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"stages": STAGES | {"sft": "x"}}, "stage sft made x, undisturbed s"),
        ({"decision": "refused"}, "decision: refused, undisturbed promoted"),
        ({"versions": 3}, "versions: 3, undisturbed 2"),
        ({"waiting_weights": "x"}, "but is not the model of stage rl"),
        ({"parents": ["RUNNING"]}, "parents: ['RUNNING'], undisturbed ['FINISHED']"),
    ],
)
def test_what_differs_in_the_end_is_named(wrong: dict[str, object], named: str) -> None:
    [fault] = after_retry(replace(WHOLE, **wrong), WHOLE)  # type: ignore[arg-type]
    assert named in fault


def test_doubled_or_unfinished_runs_of_a_stage_are_named() -> None:
    early = replace(WHOLE, waiting=None, waiting_weights=None)
    for nested in ([("rl", "FINISHED"), ("rl", "FINISHED")], [("rl", "RUNNING")]):
        [fault] = after_retry(replace(early, nested=nested), early)
        assert "of each one that is finished is asked" in fault


def test_a_moment_comes_or_the_job_ends_before(tmp_path: Path) -> None:
    world = RetrainWorld(tmp_path, "2026-03-31")
    job: Popen[bytes] = start([*python("x")[:1], "-c", "import time; time.sleep(2)"], tmp_path / "log")
    begun = time.monotonic()
    assert after(0.5, 1.0).wait(job, world)
    assert time.monotonic() - begun >= 0.5
    assert not Moment("never", lambda world, passed: False).wait(job, world)
    assert job.returncode == 0


def test_the_last_checkpoint_is_the_last_whole_one(tmp_path: Path) -> None:
    world = RetrainWorld(tmp_path, "2026-03-31")
    folder = tmp_path / "runs" / "2026-03-31" / RUN_ID / "retrain" / "rl" / "checkpoints"
    assert last_checkpoint(world) == 0
    for step, state in ((1, "{}"), (2, '{"global_step": 2}'), (3, '{"global')):
        (folder / f"checkpoint-{step}").mkdir(parents=True)
        (folder / f"checkpoint-{step}" / "trainer_state.json").write_text(state, encoding="utf-8")
    (folder / "checkpoint-4").mkdir()
    assert last_checkpoint(world) == 2


def test_moments_of_a_registration_are_read_from_its_database(tmp_path: Path) -> None:
    world = RetrainWorld(tmp_path, "2026-03-31")
    (tmp_path / "mlflow").mkdir()
    database = sqlite3.connect(tmp_path / "mlflow" / "mlflow.db")
    database.executescript(
        "CREATE TABLE logged_models (lifecycle_stage); CREATE TABLE model_versions (version);"
        "CREATE TABLE registered_model_aliases (alias, version);"
        "INSERT INTO logged_models VALUES ('active'), ('deleted');"
        "INSERT INTO model_versions VALUES (1); INSERT INTO registered_model_aliases VALUES ('champion', 1);"
    )

    def now() -> list[str]:
        moments = [*BETWEEN["register_challenger"], *BETWEEN["promote_model"]]
        return [moment.name for moment in moments if moment.is_now(world, 0.0)]

    assert now() == []
    for change, name in (
        ("INSERT INTO logged_models VALUES ('active')", ["files without a version"]),
        ("INSERT INTO model_versions VALUES (2)", ["version without an alias"]),
        ("INSERT INTO registered_model_aliases VALUES ('challenger', 2)", []),
        ("UPDATE registered_model_aliases SET version = 2", ["alias moved, job not ended"]),
    ):
        with database:
            database.execute(change)
        assert now() == name
    database.execute("BEGIN EXCLUSIVE")
    assert now() == []  # locked: nothing is known


def test_where_rl_went_on_is_read_from_its_log() -> None:
    log = "vLLM starts\nrl, NDCG      ████░░ 3/4, loss 0.5\nrl, NDCG      ██████ 4/4, loss 0.6\n"
    assert resumed_at(log) == 3
    assert resumed_at("train_rl done") is None
