"""What a stage of retraining leaves: its files, and a result that is written last and tells that it is done."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recthinker.errors import ConfigError
from recthinker.files import write_json
from recthinker.training.retrain_plan import FOLDER, JOBS, RetrainPlan

RESULT = "result.json"
MODEL = "model"
"""Folder of the model, beside the result of a stage that makes one."""

Curve = list[tuple[int, float]]
"""(step, value), ascending."""


@dataclass(frozen=True, slots=True)
class StageResult:
    """A stage that is done."""

    stage: str
    """One of `retrain_plan.STAGES`."""
    summary: str
    """What it did, in a sentence."""
    figures: Mapping[str, float]
    """By name: counts, shares, final losses."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Of the stage, for MLflow."""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    """By name: what was watched while it ran."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """By file name: what people should look at, as a decoded sample with what is trained marked."""
    tables: Mapping[str, int] = field(default_factory=dict)
    """Delta version by table read."""
    cut: str | None = None
    """Name of the training cut that these are of."""

    def write(self, folder: Path) -> None:
        """Mark the stage as done, in one step."""
        write_json(folder / RESULT, asdict(self))


def stage_folder(run_dir: Path, stage: str) -> Path:
    """Where a stage of a run leaves its files."""
    return run_dir / FOLDER / stage


def read_result(run_dir: Path, stage: str) -> StageResult | None:
    """A stage's result; None: it is not done."""
    path = stage_folder(run_dir, stage) / RESULT
    if not path.is_file():
        return None
    fields = json.loads(path.read_text(encoding="utf-8"))
    curves = {name: [(int(step), float(value)) for step, value in curve] for name, curve in fields["curves"].items()}
    return StageResult(**{**fields, "curves": curves})


def require_result(run_dir: Path, stage: str) -> StageResult:
    """A stage's result.

    Raises:
        ConfigError: it is not done.
    """
    result = read_result(run_dir, stage)
    if result is None:
        raise ConfigError(
            f"stage {stage} of {run_dir} is not done: run {JOBS[stage]} first, with the same --ds and --run-id"
        )
    return result


def require_model_of(run_dir: Path, stage: str) -> Path:
    """The folder of the model that a stage made.

    Raises:
        ConfigError: it is not done.
    """
    require_result(run_dir, stage)
    return stage_folder(run_dir, stage) / MODEL


def why_not(plan: RetrainPlan, run_dir: Path, stage: str) -> str | None:
    """Why a stage has nothing to do, for people; None: it has to run."""
    if stage not in plan.stages:
        return f"{stage} is none of this run's stages ({', '.join(plan.stages)})"
    result = read_result(run_dir, stage)
    return None if result is None else f"done before: {result.summary}"
