"""A retraining on a generated world, each of its jobs as `python -m jobs.<name>` in a process of its own."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import Popen
from time import monotonic

import numpy as np
from deltalake import write_deltalake

from recthinker.cli.retrain import cut_arguments, steps_of
from recthinker.evaluation import UserFigures
from recthinker.settings import Settings, load_settings
from recthinker.tables.arrow import read_arrow
from recthinker.tables.schemas import INTERACTIONS
from recthinker.training.retrain_plan import RetrainPlan
from tests.benchmarks.generate import write_world
from tests.benchmarks.measure import measure
from tests.benchmarks.processes import python, start
from tests.benchmarks.world import World

RUN_ID = "drill"
STEPS = 4
"""Of RL."""
SETTINGS: Mapping[str, str] = {
    "INFERENCE__ENGINE": "vllm",
    "INFERENCE__MAX_IN_FLIGHT": "64",
    "TRAINING__HOLDOUT_LAST": "3",
    "TRAINING__THREADS": "1",
    "TRAINING__BASE_SHORT_EPISODES": "64",
    "TRAINING__BASE_EPISODES": "64",
    "COLLECT__REQUESTS": "40",
    "RL__STEPS": str(STEPS),
    "RL__REQUESTS_PER_STEP": "2",
    "RL__ROLLOUTS": "4",
    "RL__MICRO_BATCH": "4",
    "RL__SAVE_EVERY": "1",
    # Of the gate only what `win` decides: there should be an alias to move.
    "GATE__MARGIN": "0",
    "GATE__MIN_USERS": "1",
    "GATE__MAX_VALIDITY_LOSS": "1",
    "GATE__MAX_LATENCY_RATIO": "1000",
    "GATE__PROTECTED_SEGMENTS": "[]",
    "GATE__MAX_ORDER_CORRELATION": "0.99",
    "GATE__MAX_BLIND_LEAD": "1",
}
"""What differs from the test overlay: as little as all stages can run on."""

Step = tuple[str, ...]
"""A job and its arguments."""


@dataclass(frozen=True, slots=True)
class RetrainWorld:
    """One `var` with one retraining in it."""

    var: Path
    ds: str
    overlay: str = "test"
    """Of the settings; `differs` is what else differs."""
    differs: Mapping[str, str] = field(default_factory=lambda: SETTINGS)

    @property
    def environment(self) -> dict[str, str]:
        """Of its jobs; what a killed Spark leaves lies in `var` too."""
        values = {**self.differs, "PATHS__VAR": str(self.var.absolute())}
        values["SPARK__CONF"] = f"{{spark.local.dir: {self.var.absolute() / 'spark'}}}"
        return {"RECTHINKER_ENV": self.overlay, **{f"RECTHINKER__{name}": value for name, value in values.items()}}

    @property
    def settings(self) -> Settings:
        """Those of its jobs."""
        return load_settings(self.overlay, environ=self.environment)

    @property
    def run_dir(self) -> Path:
        """The run's folder."""
        return self.settings.paths.runs / self.ds / RUN_ID

    @property
    def log(self) -> Path:
        """All that the last job wrote."""
        return self.var / "job.log"

    def command(self, job: str, *arguments: str, run_id: str = RUN_ID) -> list[str]:
        """A job of the run."""
        return python(f"jobs.{job}", "--ds", self.ds, "--run-id", run_id, *arguments)

    def start(self, step: Step) -> "Popen[bytes]":
        """Start a job."""
        return start(self.command(*step), self.log, self.environment)

    def finish(self, step: Step) -> float:
        """Run a job to its end; the seconds that it took.

        Raises:
            RuntimeError: it failed.
        """
        begun = monotonic()
        measure(self.command(*step), self.log, self.environment)
        return monotonic() - begun

    def steps(self) -> Iterator[Step]:
        """All jobs in the order of the DAG; those after `plan_retrain` are read from its plan."""
        yield ("plan_retrain",)
        yield from steps_of(RetrainPlan.read(self.run_dir), self.settings.gate.challenger)

    def win(self) -> None:
        """Let the challenger's measured rankings be perfect: what learned for seconds is no better than chance."""
        (path,) = (self.run_dir / "evaluation").glob("*-2.parquet")
        figures = UserFigures.read(path)
        replace(figures, ndcg=np.ones_like(figures.ndcg)).write(path)

    def copy(self, var: Path) -> "RetrainWorld":
        """The same once more; not after a model was registered, whose place MLflow knows by its full path."""
        shutil.copytree(self.var, var, symlinks=True)
        return replace(self, var=var)


def build(var: Path, seed: int) -> RetrainWorld:
    """Landing tables and both training cuts."""
    world = World(events=4_000, users=150, items=60, days=10, late_share=0, seed=seed)
    write_world(var / "warehouse", world)
    _drop_repeats(var / "warehouse")
    made = RetrainWorld(var, world.last_day.isoformat())
    measure(made.command("build_features", *cut_arguments(made.settings), run_id="cuts"), made.log, made.environment)
    return made


def _drop_repeats(warehouse: Path) -> None:
    """Keep the first event of each user and item: the target of an evaluation must be no target of training."""
    rows = read_arrow(warehouse, INTERACTIONS).sort_by("event_time")
    first: dict[tuple[str, str], int] = {}
    pairs = zip(rows["user_id"].to_pylist(), rows["item_id"].to_pylist(), strict=True)
    for place, pair in enumerate(pairs):
        first.setdefault(pair, place)
    kept = rows.take(sorted(first.values()))
    path = str(warehouse / INTERACTIONS.name)
    write_deltalake(path, kept, mode="overwrite", partition_by=list(INTERACTIONS.partition_by))
