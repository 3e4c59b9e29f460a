"""What the pages read: the rows of one night as Arrow tables, and the timings of its stages.

Rows stay in Arrow columns; `effort`, `catalogue` and `stories` reduce them. Nothing is computed here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from recthinker.errors import TableContractError
from recthinker.tables.arrow import Root, open_table, read_arrow, table_dates, table_location, table_version
from recthinker.tables.schemas import (
    CANDIDATES,
    ITEM_METADATA,
    RECOMMENDATIONS,
    RUN_MANIFEST,
    TABLE_STATUS,
    TRAJECTORIES,
    USER_HISTORY,
    Table,
)

STORY_COLUMNS = (
    "user_id",
    "status",
    "stop_reason",
    "turns",
    "tool_calls",
    "tokens",
    "ranking",
    "scores",
    "versions",
)
"""Columns of `trajectories` that a page shows; the tokens themselves stay on disk."""
NOT_TOLD = ("write_report", "log_night", "write_retrain_report")
"""Stages that a report does not tell of: they may not be over yet, and a rerun gives the same page."""


Choice = Callable[[Mapping[str, str]], Sequence[str]]
"""Gives the users wanted, from outcome by user."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one logical date that tell what users were given and why."""

    ds: str
    """Logical date, `YYYY-MM-DD`."""
    trajectories: pa.Table
    """`STORY_COLUMNS` of trajectories, one row a user."""
    recommendations: pa.Table
    histories: pa.Table
    """user_history, one row a user."""
    metadata: pa.Table
    """item_metadata: the catalogue, one row an item."""
    candidates: pa.Table


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the run."""

    name: str
    seconds: float
    """Wall seconds."""
    summary: str = ""
    """The line that it ended with."""


@dataclass(frozen=True, slots=True)
class TableChecks:
    """What the audit said of one table of the night, before it was published."""

    table: str
    passed: int | None
    """Checks of its rows that passed; None: not recorded."""
    warnings: tuple[str, ...]
    """`check: rule (count rows), such as {...}`; a check of several tables warns for each."""


@dataclass(frozen=True, slots=True)
class Night:
    """All that the nightly page is made from, but the offline evaluation."""

    run_id: str
    rows: Rows
    manifest: dict[str, Any]
    """The run's row of run_manifest; its maps as dicts."""
    stages: tuple[Stage, ...]
    """In the order in which they ended."""
    checks: tuple[TableChecks, ...] = ()
    """By table; empty where table_status does not know the date."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Each warning of the audit once, sorted."""
        return tuple(sorted({warning for table in self.checks for warning in table.warnings}))


def read_rows(warehouse: Root, ds: str, versions: Mapping[str, int]) -> Rows:
    """The rows of `ds`, of each table at its version in `versions` (by name), else at its newest.

    Raises:
        TableContractError: a table has no rows for `ds`.
    """

    def read(table: Table, columns: tuple[str, ...] | None = None) -> pa.Table:
        return read_arrow(warehouse, table, ds=ds, version=versions.get(table.name), columns=columns)

    return Rows(
        ds=ds,
        trajectories=read(TRAJECTORIES, STORY_COLUMNS),
        recommendations=read(RECOMMENDATIONS),
        histories=read(USER_HISTORY),
        metadata=read(ITEM_METADATA),
        candidates=read(CANDIDATES),
    )


def read_manifest(warehouse: Root, ds: str, run_id: str | None = None) -> dict[str, Any]:
    """The row of run_manifest of `run_id` (None: of the run published last), its maps as dicts.

    Raises:
        TableContractError: nothing was published for `ds`, or not by `run_id`.
    """
    rows = read_arrow(warehouse, RUN_MANIFEST, ds=ds).sort_by([("published_at", "descending")])
    manifests: list[dict[str, Any]] = rows.to_pylist(maps_as_pydicts="strict")
    for manifest in manifests:
        if run_id in (None, manifest["run_id"]):
            return manifest
    known = ", ".join(sorted(manifest["run_id"] for manifest in manifests))
    raise TableContractError(
        f"table {RUN_MANIFEST.name} should hold run_id={run_id} for ds={ds}, found {known}; "
        "publish that run first, or report on one of these"
    )


def read_night(warehouse: Root, run_dir: Path, ds: str, run_id: str) -> Night:
    """The rows of `ds`, as the run `run_id` read and published them, and what is known of that run.

    Stage times are those in `run_dir`/stages; where there are none, those of the manifest.

    Raises:
        TableContractError: a table has no rows for `ds`, or its manifest does not know `run_id`.
    """
    manifest = read_manifest(warehouse, ds, run_id)
    stages = read_stages(run_dir) or tuple(Stage(*pair) for pair in manifest["seconds"].items())
    rows = read_rows(warehouse, ds, manifest["table_versions"])
    return Night(run_id, rows, manifest, stages, read_checks(warehouse, ds))


def read_episodes(
    warehouse: Root, ds: str, choose: Callable[[Mapping[str, str]], Sequence[str]]
) -> list[dict[str, Any]]:
    """Whole rows of trajectories, their maps as dicts, in the order of `choose`.

    Args:
        warehouse: folder of the tables.
        ds: logical date.
        choose: which users.

    Raises:
        TableContractError: there are no rows for `ds`.
    """
    version = table_version(warehouse, TRAJECTORIES)
    told = read_arrow(warehouse, TRAJECTORIES, ds=ds, version=version, columns=("user_id", "status"))
    users = choose(dict(zip(told["user_id"].to_pylist(), told["status"].to_pylist(), strict=True)))
    wanted = pc.field("user_id").isin(pa.array(list(users), pa.string()))
    dataset = open_table(warehouse, TRAJECTORIES, version=version).to_pyarrow_dataset(partitions=[("ds", "=", ds)])
    rows = dataset.to_table(filter=wanted).cast(TRAJECTORIES.arrow_schema()).to_pylist(maps_as_pydicts="strict")
    return sorted(rows, key=lambda row: users.index(row["user_id"]))


def read_checks(warehouse: Root, ds: str) -> tuple[TableChecks, ...]:
    """What table_status says of the audit of `ds`, by table; empty where it says nothing of that date."""
    location = table_location(warehouse, TABLE_STATUS)
    if not DeltaTable.is_deltatable(location) or ds not in table_dates(warehouse, TABLE_STATUS):
        return ()
    rows = read_arrow(warehouse, TABLE_STATUS, ds=ds, columns=("table", "checks", "warnings")).sort_by("table")
    return tuple(TableChecks(row["table"], row["checks"], tuple(row["warnings"])) for row in rows.to_pylist())


def read_stages(run_dir: Path) -> tuple[Stage, ...]:
    """The jobs of a run that are done, in the order in which they ended."""
    files = [path for path in sorted((run_dir / "stages").glob("*.json")) if path.stem not in NOT_TOLD]
    timings = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    timings.sort(key=lambda timing: float(timing["ended_at"]))
    return tuple(Stage(timing["stage"], float(timing["seconds"]), str(timing["summary"])) for timing in timings)
