"""A warehouse without Spark: small landing tables, and dates that `table_status` says were built.

The rows of built tables are blank: what a plan looks at is where rows are, not what they say.
"""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from recthinker.features.built import BUILT_TABLES
from recthinker.features.definitions import READS, definition
from recthinker.features.inputs import input_versions
from recthinker.settings import FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.schemas import Table
from recthinker.tables.status import TableStatus, write_status

GRACE_H = 2.0
ITEMS = {"i1": ["Comedy"], "i2": ["Drama"], "i3": []}
USERS = {"u1": {"age": "20"}, "u2": {"age": "30"}}


def event(user: str, item: str, when: str, arrived: str | None = None, rating: float | None = 4.0) -> dict[str, Any]:
    """A row of `interactions`; `when` and `arrived` as `2024-03-01T09:00`, UTC."""
    time = datetime.fromisoformat(when).replace(tzinfo=UTC)
    return {
        "user_id": user,
        "item_id": item,
        "event_time": time,
        "event_type": "rating",
        "rating": rating,
        "ingested_at": datetime.fromisoformat(arrived).replace(tzinfo=UTC) if arrived else None,
        "source": "world",
        "event_date": time.date(),
    }


EVENTS = (
    event("u1", "i1", "2024-03-01T09:00"),
    event("u1", "i2", "2024-03-02T09:00"),
    event("u2", "i1", "2024-03-02T10:00", "2024-03-02T11:00"),
    event("u2", "i2", "2024-03-03T10:00"),
)
"""Two days of events up to the second, one of the third."""


def land(root: Path, events: Iterable[Mapping[str, Any]] = EVENTS) -> None:
    """The landing tables, each in one commit made long before any date."""
    append(root, schemas.INTERACTIONS, events)
    put_items(root, ITEMS)
    put_users(root, USERS)
    relation = {"head_item_id": "i1", "relation": "by", "tail_id": "d1", "tail_label": None, "tail_item_id": None}
    append(root, schemas.ITEM_RELATIONS, [relation])
    for table in (schemas.ITEMS, schemas.USERS, schemas.ITEM_RELATIONS):
        commit_at(root, table, 0, datetime(2024, 1, 1, tzinfo=UTC))


def put_items(root: Path, categories: Mapping[str, list[str]], title: str = "A title") -> int:
    """All rows of `items` anew; the version of the commit."""
    rows = [
        {"item_id": item, "title": title, "description": None, "categories": names, "attributes": []}
        for item, names in categories.items()
    ]
    return overwrite(root, schemas.ITEMS, rows)


def put_users(root: Path, attributes: Mapping[str, Mapping[str, str]]) -> int:
    """All rows of `users` anew; the version of the commit."""
    rows = [{"user_id": user, "attributes": list(values.items())} for user, values in attributes.items()]
    return overwrite(root, schemas.USERS, rows)


def append(root: Path, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Rows added in a file of their own for each partition; the version of the commit."""
    return _write(root, table, rows, mode="append")


def overwrite(root: Path, table: Table, rows: Iterable[Mapping[str, Any]], where: str | None = None) -> int:
    """Rows in place of those that meet `where` (None: all); the version of the commit."""
    return _write(root, table, rows, mode="overwrite", **({"predicate": where} if where else {}))


def delete(root: Path, table: Table, where: str) -> int:
    """Rows taken away; the version of the commit."""
    delta = DeltaTable(root / table.name)
    delta.delete(where)
    return delta.version()


def compact(root: Path, table: Table) -> int:
    """The same rows in fewer files; the version of the commit."""
    delta = DeltaTable(root / table.name)
    assert delta.optimize.compact()["numFilesRemoved"] > 0
    return delta.version()


def commit_at(root: Path, table: Table, version: int, when: datetime) -> None:
    """Make a commit look as if it had been made at `when`."""
    path = root / table.name / "_delta_log" / f"{version:020}.json"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if "commitInfo" in line:
            line["commitInfo"]["timestamp"] = int(when.timestamp() * 1000)
    path.write_text("\n".join(json.dumps(line, separators=(",", ":")) for line in lines))
    os.utime(path, (when.timestamp(), when.timestamp()))


def build(
    root: Path,
    ds: str,
    settings: FeatureSettings,
    *,
    base: str | None = None,
    tables: Iterable[Table] = BUILT_TABLES,
    run_id: str = "",
    seconds: float = 2.0,
) -> None:
    """Blank rows of `ds`, one a table, and what a build would record of them."""
    now = input_versions(root, ds, GRACE_H)
    for table in tables:
        version = overwrite(root, table, [blank(table, ds)], f"ds = '{ds}'")
        inputs = {name: now[name] for name in READS[table.name]}
        write_status(root, status(ds, table.name, version, definition(table, settings), inputs, base, run_id, seconds))


def status(
    ds: str,
    table: str,
    version: int,
    fingerprint: str,
    inputs: Mapping[str, int],
    base: str | None = None,
    run_id: str = "",
    seconds: float = 2.0,
) -> TableStatus:
    """A row of `table_status` of one row built just now."""
    return TableStatus(
        ds=ds,
        table=table,
        run_id=run_id or f"run-{ds}",
        built_at=datetime.now(UTC),
        hours_late=3.0,
        built="incremental" if base else "full",
        base_ds=base,
        definition=fingerprint,
        inputs=inputs,
        version=version,
        rows=1,
        events=3,
        late_events=None,
        newest_event=None,
        seconds=seconds,
    )


def blank(table: Table, ds: str) -> dict[str, Any]:
    """A row with `ds`, of item `i1` where it is of one, and nothing else."""
    return {c.name: _blank(c.type) for c in table.columns if not c.nullable} | {"ds": ds, "item_id": "i1"}


def _blank(type_: pa.DataType) -> Any:
    if pa.types.is_string(type_):
        return ""
    if pa.types.is_list(type_) or pa.types.is_map(type_):
        return []
    return datetime(2024, 1, 1, tzinfo=UTC) if pa.types.is_timestamp(type_) else 0


def _write(root: Path, table: Table, rows: Iterable[Mapping[str, Any]], **how: Any) -> int:
    values = pa.Table.from_pylist([dict(row) for row in rows], schema=table.arrow_schema())
    path = root / table.name
    write_deltalake(path, values, partition_by=list(table.partition_by) or None, **how)
    return DeltaTable(path).version()


def days(first: str, n: int) -> list[str]:
    """`n` dates from `first` on."""
    start = datetime.fromisoformat(first).date()
    return [str(start + timedelta(days=k)) for k in range(n)]
