"""A retraining without training: a cut of blank rows, stages that are done, models of three tiny files."""

from pathlib import Path
from typing import Any

from recthinker.evaluation import target_hashes, write_targets
from recthinker.lookup.cut_versions import CUT_TABLES
from recthinker.registry import ModelVersion, Registry
from recthinker.settings import PathSettings
from recthinker.tables.schemas import HELD_OUT, INTERACTIONS
from recthinker.tables.status import write_status
from recthinker.training.stage import MODEL, StageResult, stage_folder
from tests.features import built_world as world

DS, RUN_ID = "2024-03-10", "r1"
CUT = "holdout_last_11"


def build_cut(paths: PathSettings, cut: str = CUT) -> None:
    """The cut for `DS`, one row in each of its tables, of the first version of `interactions`."""
    root = Path(paths.cut(cut))
    if not Path(paths.warehouse, INTERACTIONS.name).exists():
        world.append(Path(paths.warehouse), INTERACTIONS, world.EVENTS)
    for table in CUT_TABLES:
        world.overwrite(root, table, [world.blank(table, DS)], f"ds = '{DS}'" if has_rows(root, table.name) else None)
    write_status(root, world.status(DS, HELD_OUT.name, 0, "d", {INTERACTIONS.name: 0}))


def has_rows(root: Path, table: str) -> bool:
    return (root / table).exists()


def model(folder: Path, text: str = "new") -> Path:
    """A model folder that tells its training targets."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / file).write_text(f"{file} of {text}", encoding="utf-8")
    write_targets(folder, target_hashes(["u0"], ["i5"]))
    return folder


def register(registry: Registry, folder: Path, alias: str | None = None) -> ModelVersion:
    with registry.training_run("train") as run:
        return registry.register(model(folder, folder.name), run.run_id, alias=alias)


def result(stage: str, **changes: Any) -> StageResult:
    """What a stage leaves: two figures, a curve of three points, a text, two tables."""
    fields: dict[str, Any] = {
        "stage": stage,
        "summary": f"Did {stage}.",
        "figures": {"ndcg@10": 0.5, "loss": 1.25, "seconds": 60.0},
        "params": {"lr": 0.1, "optimizer": {"name": "adamw"}},
        "curves": {"loss": [(0, 3.0), (10, 2.0), (20, 1.0)]},
        "texts": {"sample.txt": "[[learned]] read"},
        "tables": {"user_history": 3, "interactions": 7},
        "cut": CUT,
    }
    return StageResult(**fields | changes)


def finish(run_dir: Path, stage: str, *, text: str | None = None) -> None:
    """A stage that is done; with `text`, it made a model."""
    folder = stage_folder(run_dir, stage)
    if text is not None:
        model(folder / MODEL, text)
    result(stage).write(folder)
