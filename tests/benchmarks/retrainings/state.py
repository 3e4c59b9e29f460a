"""What a retraining has left so far: what serves, what waits, which stages are done, what MLflow tells.

`python -m tests.benchmarks.retrainings.state DS` prints it as JSON, read by a process of its own: the drill puts back
earlier databases, which MLflow would not notice in a process that has one open.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recthinker.errors import RecThinkerError
from recthinker.registry import DECISION_FILE, ModelVersion, Registry
from recthinker.registry.tracking import Tracking
from recthinker.registry.versions import version_of_folder
from recthinker.settings import Settings, load_settings
from recthinker.training.retrain_plan import STAGES
from recthinker.training.select_stage import EXAMPLES
from recthinker.training.stage import MODEL, read_result, stage_folder
from tests.benchmarks.processes import python
from tests.benchmarks.retrainings.world import RUN_ID, RetrainWorld
from tests.benchmarks.same_rows import rows_of

BROKEN = "broken: "
"""How something begins that is there and cannot be read."""


@dataclass(frozen=True, slots=True)
class State:
    """Of one run."""

    serving: str | None = None
    """`name/version` under the champion's alias, its files whole."""
    waiting: str | None = None
    """The same under the challenger's."""
    waiting_weights: str | None = None
    """Hash of the challenger's files."""
    versions: int = 0
    """Registered ones."""
    stages: dict[str, str] = field(default_factory=dict)
    """Hash of what a stage made, by stage, of those that are done."""
    rollouts: int = 0
    """Rows of the run in table `rollouts`."""
    parents: list[str] = field(default_factory=list)
    """Status of each MLflow run of the retraining."""
    nested: list[tuple[str, str]] = field(default_factory=list)
    """(stage, status) of each run under it."""
    decision: str | None = None
    """Of the gate."""


def look(world: RetrainWorld) -> State:
    """The state, read by another process."""
    command = python("tests.benchmarks.retrainings.state", world.ds)
    told = subprocess.run(command, env={**os.environ, **world.environment}, capture_output=True, text=True, check=False)
    if told.returncode:
        raise RuntimeError(f"what {world.var} holds cannot be read: {told.stderr[-2000:]}")
    fields: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return State(**{**fields, "nested": [(stage, status) for stage, status in fields["nested"]]})


def read_state(settings: Settings, ds: str) -> State:
    """The state, read here."""
    run_dir, registry = settings.paths.runs / ds / RUN_ID, Registry(settings)
    waiting, weights = _aliased(registry, settings.gate.challenger)
    tracking, stages = Tracking(settings), [stage for stage in STAGES if _is_done(run_dir, stage)]
    runs = tracking.client.search_runs([tracking.experiment_id])
    rollouts = _rollouts(settings)
    return State(
        serving=_aliased(registry, settings.model.alias)[0],
        waiting=waiting,
        waiting_weights=weights,
        versions=len(tracking.client.search_model_versions(f"name = '{settings.model.name}'")),
        stages={stage: _made(stage, stage_folder(run_dir, stage), rollouts) for stage in stages},
        rollouts=rollouts.num_rows,
        parents=[run.info.status for run in runs if run.data.tags.get("kind") == "retrain"],
        nested=sorted(
            (run.data.tags["stage"], run.info.status) for run in runs if run.data.tags.get("kind") == "retrain_stage"
        ),
        decision=_decision(run_dir),
    )


def _aliased(registry: Registry, alias: str) -> tuple[str | None, str | None]:
    try:
        version: ModelVersion | None = registry.aliased(alias)
        return (str(version), version_of_folder(version.path).version) if version else (None, None)
    except RecThinkerError as error:
        return f"{BROKEN}{error}", None


def _is_done(run_dir: Path, stage: str) -> bool:
    """Whether there is a result; one that cannot be read counts, and is found broken."""
    try:
        return read_result(run_dir, stage) is not None
    except ValueError:
        return True


def _made(stage: str, folder: Path, rollouts: pa.Table) -> str:
    try:
        read_result(folder.parents[1], stage)
        if stage == "collect":
            return _hash(rollouts)
        if stage == "select":
            return _hash(pq.read_table(folder / EXAMPLES))
        return version_of_folder(folder / MODEL).version
    except (RecThinkerError, ValueError, OSError) as error:
        return f"{BROKEN}{error}"


def _rollouts(settings: Settings) -> pa.Table:
    return rows_of(settings.paths.var / "warehouse", "rollouts")


def _hash(rows: pa.Table) -> str:
    return hashlib.sha256(json.dumps(rows.to_pylist(), default=str).encode()).hexdigest()[:12]


def _decision(run_dir: Path) -> str | None:
    path = run_dir / DECISION_FILE
    if not path.is_file():
        return None
    try:
        decided = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return f"{BROKEN}{error}"
    return str(decided["headline"])


if __name__ == "__main__":
    print(json.dumps(asdict(read_state(load_settings(), sys.argv[1]))))
