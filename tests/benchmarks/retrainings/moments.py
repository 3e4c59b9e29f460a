"""When a job is killed: at a share of its usual time, or between two of its steps, by what it has left."""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from time import monotonic

from tests.benchmarks.retrainings.world import STEPS, RetrainWorld, Step

LOOKS_EVERY_S = 0.002
CHECKPOINT, TRAINER_STATE = "checkpoint-*", "trainer_state.json"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in the life of a job."""

    name: str
    is_now: Callable[[RetrainWorld, float], bool]
    """By the world and the seconds since the job started."""

    def wait(self, job: "Popen[bytes]", world: RetrainWorld) -> bool:
        """Wait for it; False where the job ended before."""
        begun = monotonic()
        while not self.is_now(world, monotonic() - begun):
            if job.poll() is not None:
                return False
            time.sleep(LOOKS_EVERY_S)
        return True


def after(share: float, seconds: float) -> Moment:
    """A share of the usual seconds."""
    return Moment(f"{share:.0%} of {seconds:.0f} s", lambda world, passed: passed >= share * seconds)


def between(step: Step) -> tuple[Moment, ...]:
    """The moments between the steps of a job that matter most; of most jobs none."""
    return BETWEEN.get(step[0], ())


def last_checkpoint(world: RetrainWorld) -> int:
    """The step of RL's last whole checkpoint; 0: there is none."""
    return max((_step(path) for path in _checkpoints(world) if _is_whole(path)), default=0)


def _checkpoints(world: RetrainWorld) -> list[Path]:
    return list((world.run_dir / "retrain" / "rl" / "checkpoints").glob(CHECKPOINT))


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _is_whole(checkpoint: Path) -> bool:
    """The trainer writes its own state last."""
    try:
        return bool(json.loads((checkpoint / TRAINER_STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def _half_a_checkpoint(world: RetrainWorld, passed: float) -> bool:
    """The second or a later one, so that there is one to go back to."""
    return any(_step(path) > 1 and not (path / TRAINER_STATE).exists() for path in _checkpoints(world))


def _all_steps_done(world: RetrainWorld, passed: float) -> bool:
    return last_checkpoint(world) == STEPS


def _drawn(world: RetrainWorld, passed: float) -> bool:
    return (world.run_dir / "retrain" / "collect" / "rollouts.parquet").is_file()


def _decided(world: RetrainWorld, passed: float) -> bool:
    return (world.run_dir / "gate.json").is_file()


def _files_without_version(world: RetrainWorld, passed: float) -> bool:
    """More LoggedModels than versions."""
    logged = "SELECT COUNT(*) FROM logged_models WHERE lifecycle_stage = 'active'"
    return _holds(world, f"({logged}) > (SELECT COUNT(*) FROM model_versions)")


def _version_without_alias(world: RetrainWorld, passed: float) -> bool:
    """More versions than aliases."""
    return _holds(world, "(SELECT COUNT(*) FROM model_versions) > (SELECT COUNT(*) FROM registered_model_aliases)")


def _alias_moved(world: RetrainWorld, passed: float) -> bool:
    """Both aliases name one version."""
    return _holds(world, "(SELECT COUNT(*) - COUNT(DISTINCT version) FROM registered_model_aliases) > 0")


def _holds(world: RetrainWorld, condition: str) -> bool:
    """Whether MLflow's database holds what an SQL condition says; no, while somebody writes to it."""
    database = sqlite3.connect(f"file:{world.var / 'mlflow' / 'mlflow.db'}?mode=ro", uri=True, timeout=0)
    try:
        return bool(database.execute(f"SELECT {condition}").fetchone()[0])
    except sqlite3.OperationalError:
        return False
    finally:
        database.close()


BETWEEN: Mapping[str, tuple[Moment, ...]] = {
    "collect_rollouts": (Moment("rollouts drawn, table not written", _drawn),),
    "train_rl": (
        Moment("half a checkpoint", _half_a_checkpoint),
        Moment("all steps done, model not written", _all_steps_done),
    ),
    "register_challenger": (
        Moment("files without a version", _files_without_version),
        Moment("version without an alias", _version_without_alias),
    ),
    "promote_model": (
        Moment("decided, alias not moved", _decided),
        Moment("alias moved, job not ended", _alias_moved),
    ),
}
