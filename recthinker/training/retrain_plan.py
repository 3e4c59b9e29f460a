"""What a retraining run is: fixed when it is planned, read by each of its stages, enough to run it again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recthinker.errors import ConfigError
from recthinker.files import write_json
from recthinker.settings import Settings

FILE = "retrain_plan.json"
FOLDER = "retrain"
"""Of a run's folder: the plan, and what its stages leave."""
JOBS = {
    "base": "train_base",
    "collect": "collect_rollouts",
    "select": "select_episodes",
    "sft": "train_sft",
    "rl": "train_rl",
}
"""The job of each stage, in order; what a stage leaves is what the next one starts from."""
STAGES = tuple(JOBS)
TRAINED = ("sft", "rl")
"""Those whose model may serve: that of the last one is registered, measured and judged."""
SECTIONS = ("features", "candidates", "tools", "agent", "model", "training", "collect", "selection", "rl", "evaluation")
"""Settings that decide what comes out: they are the plan's, whatever is in force when a stage runs."""


@dataclass(frozen=True, slots=True)
class RetrainPlan:
    """A retraining run."""

    ds: str
    run_id: str
    stages: tuple[str, ...]
    """Those of `STAGES` that run."""
    champion: str | None
    """`name/version` that the rollouts are drawn from and that the gate compares with; None: there is none yet, and the
    scripted planner draws them."""
    champion_path: str | None
    """Its folder."""
    promote: bool
    """Whether the gate may move the alias; if not, it only says what it would do."""
    mlflow_run: str
    """The run under which each stage has one of its own."""
    settings: Mapping[str, Any]
    """The sections `SECTIONS`, as JSON."""
    like: str | None = None
    """MLflow run that it repeats."""
    tables: Mapping[str, int] = field(default_factory=dict)
    """Delta version of each table of the training cut, and of `interactions`, that the stages read."""

    @property
    def cut(self) -> str:
        """Name of the training cut."""
        return f"holdout_last_{self.settings['training']['holdout_last']}"

    def apply(self, settings: Settings) -> Settings:
        """Settings with the plan's sections in the place of theirs.

        Raises:
            ConfigError: the plan was made by code whose settings were others.
        """
        try:
            return Settings.model_validate(settings.model_dump() | dict(self.settings))
        except ValidationError as error:
            keys = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
            raise ConfigError(
                f"the retraining {self.run_id} of {self.ds} was planned by other code: its settings do not fit this "
                f"code's in {keys}. It cannot go on: start another one, `recthinker retrain --ds {self.ds}`"
            ) from error

    def write(self, run_dir: Path) -> None:
        """Keep the plan with its run, whole or not at all."""
        write_json(run_dir / FOLDER / FILE, asdict(self))

    @classmethod
    def find(cls, run_dir: Path) -> "RetrainPlan | None":
        """The plan of a run; None: it is no retraining."""
        return cls.read(run_dir) if (run_dir / FOLDER / FILE).is_file() else None

    @classmethod
    def read(cls, run_dir: Path) -> "RetrainPlan":
        """The plan of a run.

        Raises:
            ConfigError: the run has none.
        """
        path = run_dir / FOLDER / FILE
        if not path.is_file():
            raise ConfigError(f"{path} is missing: run plan_retrain with the same --ds and --run-id first")
        return cls.of(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "RetrainPlan":
        """A plan from its JSON."""
        return cls(**{**fields, "stages": tuple(fields["stages"])})
