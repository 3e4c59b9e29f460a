"""A retraining over the little world: its training cut as Delta tables, its plan, and a base model's tokenizer.

ann's i3, bob's i5 and cat's i1 are the newest events, for evaluation; i4, i6 and i2 before them are targets.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from recthinker.settings import Settings
from recthinker.tables.arrow import Root
from recthinker.tables.create import create_table
from recthinker.tables.schemas import (
    CANDIDATES,
    CO_INTERACTION,
    HELD_OUT,
    INTERACTIONS,
    ITEM_METADATA,
    ITEM_RELATION,
    ROLLOUTS,
    SIMILAR_USERS,
    USER_HISTORY,
    USER_PROFILE,
    Table,
)
from recthinker.tables.status import TableStatus, write_status
from recthinker.training.retrain_plan import SECTIONS, RetrainPlan
from recthinker.training.stage import MODEL, StageResult, stage_folder
from tests import little_world as world
from tests.inference import small_trial

DS, RUN_ID = world.DS, "r1"
TAKEN = {"ann": ["i3", "i4"], "bob": ["i5", "i6"], "cat": ["i1", "i2"]}
"""Position 1 first."""
TARGETS = {"ann": "i4", "bob": "i6", "cat": "i2"}
FEATURES = (USER_PROFILE, USER_HISTORY, ITEM_METADATA, ITEM_RELATION, CO_INTERACTION, SIMILAR_USERS)
WHEN = datetime(2024, 3, 1, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "candidates": {"max_items": 4},
    "tools": {"privacy_min_users": world.MIN_USERS},
    "training": {"holdout_last": 2, "hard_share": 0, "threads": 1},
    "collect": {"requests": 6, "rollouts": 4, "random_share": 0.5},
}
"""What differs from the test overlay."""


def write_cut(settings: Settings) -> None:
    """The cut `holdout_last_2`, and the interactions that it was taken of."""
    root, rows, cut = settings.paths.cut("holdout_last_2"), world.features(), small_trial.cut(TAKEN)
    for table in FEATURES:
        _write(root, table, getattr(rows, table.name))
    _write(root, CANDIDATES, cut.candidates)
    taken = [{**row, "ds": DS, "event_time": WHEN, "event_type": "view", "rating": None} for row in _rows(cut.held_out)]
    _write(root, HELD_OUT, pa.Table.from_pylist(taken, HELD_OUT.arrow_schema()))
    events = [_event(row["user_id"], row["item_id"]) for row in [*_rows(cut.interactions), *taken]]
    _write(settings.paths.warehouse, INTERACTIONS, pa.Table.from_pylist(events, INTERACTIONS.arrow_schema()))
    write_status(root, _status())


def write_plan(settings: Settings, *, stages: tuple[str, ...] = ("base", "collect", "select"), **named: Any) -> Path:
    """The plan of a run without a champion, and its base model, of which the tokenizer is all that is there; the run's
    folder.
    """
    run_dir = settings.paths.runs / DS / RUN_ID
    sections = settings.model_dump(mode="json", include=set(SECTIONS))
    champion: dict[str, Any] = {"champion": None, "champion_path": None, **named}
    RetrainPlan(DS, RUN_ID, stages, promote=False, mlflow_run="", settings=sections, **champion).write(run_dir)
    folder = stage_folder(run_dir, "base")
    save_tokenizer(folder / MODEL)
    StageResult("base", "a tokenizer", {}).write(folder)
    return run_dir


def save_tokenizer(folder: Path) -> None:
    """A model folder as far as the planner needs one."""
    folder.mkdir(parents=True, exist_ok=True)
    world.chat().save(folder / "tokenizer.json")


def write_rollouts_table(settings: Settings, rows: pa.Table) -> None:
    """The table `rollouts` with these rows more, without Spark."""
    create_table(settings.paths.warehouse, ROLLOUTS)
    _write(settings.paths.warehouse, ROLLOUTS, rows)


def _write(root: Root, table: Table, rows: pa.Table) -> None:
    write_deltalake(f"{root}/{table.name}", rows, mode="append", partition_by=list(table.partition_by))


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def _event(user: str, item: str) -> dict[str, Any]:
    return {
        "user_id": user,
        "item_id": item,
        "event_time": WHEN,
        "event_type": "view",
        "rating": None,
        "ingested_at": None,
        "source": "world",
        "event_date": WHEN.date(),
    }


def _status() -> TableStatus:
    return TableStatus(
        ds=DS,
        table=HELD_OUT.name,
        run_id="cut",
        built_at=WHEN,
        hours_late=0.0,
        built="full",
        base_ds=None,
        definition="d",
        inputs={INTERACTIONS.name: 0},
        version=0,
        rows=6,
        events=None,
        late_events=None,
        newest_event=None,
        seconds=0.0,
    )
