"""Reading and writing `table_status`, through delta-rs: what was built, when, from what."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from recthinker.errors import TableContractError
from recthinker.tables.arrow import Root, table_location
from recthinker.tables.schemas import TABLE_STATUS

ATTEMPTS = 30
"""Tries of a write that others keep crossing."""
WAIT_S = 0.05
"""Pause before the second try; each further one waits longer by as much."""


@dataclass(frozen=True, slots=True)
class TableStatus:
    """A row of `table_status`; the columns are told in its contract."""

    ds: str
    table: str
    run_id: str
    built_at: datetime
    """With its time zone."""
    hours_late: float
    built: str
    base_ds: str | None
    definition: str
    inputs: Mapping[str, int]
    version: int
    rows: int
    events: int | None
    late_events: int | None
    newest_event: datetime | None
    seconds: float
    checks: int | None = None
    warnings: Sequence[str] = field(default_factory=tuple)


def write_status(root: Root, row: TableStatus) -> None:
    """Write `row` in one commit, in place of the row of its date and table.

    Any number of processes may write at once: a commit that another one crossed is made again from the newest rows.

    Raises:
        TableContractError: others kept crossing it; nothing was written.
    """
    path = table_location(root, TABLE_STATUS)
    _create(path)
    for attempt in range(1, ATTEMPTS + 1):
        table = DeltaTable(path)
        others = [other for other in _rows(table, row.ds) if other.table != row.table]
        try:
            # All rows of a date make one file: a date's few rows would else be as many files.
            write_deltalake(
                table,
                _arrow([*others, row]),
                mode="overwrite",
                predicate=f"ds = '{row.ds}'",
                commit_properties=CommitProperties(custom_metadata={"userMetadata": row.run_id}, max_commit_retries=0),
            )
        except CommitFailedError:
            time.sleep(WAIT_S * attempt)
        else:
            return
    raise TableContractError(
        f"table_status of {row.table}, ds {row.ds}: expected a commit, found other writers in the way {ATTEMPTS} "
        "times; run the job again when fewer run at once"
    )


def read_status(root: Root, ds: str | None = None) -> list[TableStatus]:
    """The rows of `ds` (None: of all dates) by date and table; none where nothing was built yet."""
    path = table_location(root, TABLE_STATUS)
    return _rows(DeltaTable(path), ds) if DeltaTable.is_deltatable(path) else []


def _create(path: str) -> None:
    """The table, empty, where there is none."""
    if DeltaTable.is_deltatable(path):
        return
    try:
        DeltaTable.create(
            path, TABLE_STATUS.arrow_schema(), mode="ignore", partition_by=list(TABLE_STATUS.partition_by)
        )
    except DeltaError:
        # Another process may have made it in the same moment.
        DeltaTable(path)


def _rows(table: DeltaTable, ds: str | None) -> list[TableStatus]:
    filters = None if ds is None else [("ds", "=", ds)]
    found = table.to_pyarrow_table(filters=filters).select(TABLE_STATUS.column_names)
    rows = [TableStatus(**{**row, "inputs": dict(row["inputs"])}) for row in found.to_pylist()]
    return sorted(rows, key=lambda row: (row.ds, row.table))


def _arrow(rows: Sequence[TableStatus]) -> pa.Table:
    values = [{**asdict(row), "inputs": list(row.inputs.items()), "warnings": list(row.warnings)} for row in rows]
    return pa.Table.from_pylist(values, schema=TABLE_STATUS.arrow_schema())
