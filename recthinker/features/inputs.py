"""The inputs of a date: which version of each landing table it reads, and whether two versions are the same to it.

What happened is in `interactions`, where every row says when it arrived; so a date reads the newest version and leaves
out what it cannot have known. The other landing tables carry no such time: a date reads the version that was there at
its cut-off.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from recthinker.errors import TableContractError
from recthinker.features.known import cutoff
from recthinker.tables import schemas
from recthinker.tables.arrow import Root, commits, open_table, read_arrow, table_version
from recthinker.tables.log import LAYOUT_OPERATIONS
from recthinker.tables.schemas import Table

DIMENSIONS = (schemas.ITEMS, schemas.USERS, schemas.ITEM_RELATIONS)
"""Landing tables whose rows have no time of their own."""
COMPARED = [name for name in schemas.INTERACTIONS.column_names if name != "source"]
"""Columns of `interactions` that a feature may depend on."""
GONE = (TableContractError, DeltaError, OSError)
"""Errors of reading a version whose log or files were cleaned up."""


class LandingCommits:
    """The commits of the landing tables, read once for any number of dates.

    Raises:
        TableContractError: a landing table is missing.
    """

    def __init__(self, root: Root) -> None:
        tables = (schemas.INTERACTIONS, *DIMENSIONS)
        self._newest = {table.name: table_version(root, table) for table in tables}
        self._commits = {table.name: _written(commits(root, table)) for table in DIMENSIONS}

    def versions(self, ds: str, grace_h: float) -> dict[str, int]:
        """As `input_versions`."""
        end_ms = cutoff(ds, grace_h).timestamp() * 1000
        in_time = {name: [v for v, at_ms in found if at_ms < end_ms] for name, found in self._commits.items()}
        return self._newest | {name: max(versions) for name, versions in in_time.items() if versions}


def input_versions(root: Root, ds: str, grace_h: float) -> dict[str, int]:
    """The version of each landing table that `ds` reads.

    Of `interactions` the newest; of the others the newest that was committed before the cut-off of `ds` or, where the
    table is younger than that, the newest there is.

    Args:
        root: folder of the tables.
        ds: logical date.
        grace_h: `features.arrival_grace_h`.

    Raises:
        TableContractError: a landing table is missing.
    """
    return LandingCommits(root).versions(ds, grace_h)


def same_events(root: Root, before: int, now: int, *, ds: str, grace_h: float) -> bool:
    """Whether `ds` knows exactly the same events at two versions of `interactions`.

    Rows count, not files: the same rows in other files are the same, a row that is gone or corrected is not, and one
    that arrived after the cut-off of `ds` is not known to it. False where a version can no longer be read. Only
    files that differ are looked into, one day of events at a time.

    Args:
        root: folder of the tables.
        before: version.
        now: another version.
        ds: logical date.
        grace_h: `features.arrival_grace_h`.
    """
    if before == now:
        return True
    end = cutoff(ds, grace_h)
    try:
        old, new = (open_table(root, schemas.INTERACTIONS, version=version) for version in (before, now))
        days = _touched_days(old, new, date.fromisoformat(ds), end)
        return all(_known_rows(old, day, end).equals(_known_rows(new, day, end)) for day in days)
    except GONE:
        return False


def same_rows(root: Root, table: Table, before: int, now: int) -> bool:
    """Whether a small table holds the same rows at two versions; False where a version can no longer be read."""
    if before == now:
        return True
    try:
        if _paths(open_table(root, table, version=before)) == _paths(open_table(root, table, version=now)):
            return True
        return rows_by_key(root, table, before) == rows_by_key(root, table, now)
    except GONE:
        return False


def rows_by_key(
    root: Root, table: Table, version: int, columns: Sequence[str] | None = None
) -> dict[Any, dict[str, Any]]:
    """The rows of a small table at a version by key: the value of its column, or those of its columns.

    Args:
        root: folder of the tables.
        table: contract of the table.
        version: which version.
        columns: names of columns, the key's among them; None: all.

    Raises:
        TableContractError: there is no such table or version.
    """
    rows = read_arrow(root, table, version=version, columns=columns).to_pylist()
    maps = [c.name for c in table.columns if pa.types.is_map(c.type) and (columns is None or c.name in columns)]
    for row in rows:
        row |= {name: dict(row[name]) for name in maps if row[name] is not None}
    return {row[table.key[0]] if len(table.key) == 1 else tuple(row[k] for k in table.key): row for row in rows}


def _written(history: Iterable[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Version and time (milliseconds) of each commit; one that only made or altered the table does not count."""
    wrote = (commit for commit in history if not str(commit.get("operation")).startswith(LAYOUT_OPERATIONS))
    return [(int(commit["version"]), int(commit["timestamp"])) for commit in wrote]


def _touched_days(old: DeltaTable, new: DeltaTable, last: date, end: datetime) -> list[date]:
    """Days up to `last` in which the versions differ by files that may hold rows known at `end`."""
    ours, theirs = _files(old, last), _files(new, last)
    differing = [file for path, file in (ours | theirs).items() if (path in ours) != (path in theirs)]
    return sorted({file["partition.event_date"] for file in differing if not _all_arrived_later(file, end)})


def _files(table: DeltaTable, last: date) -> dict[str, dict[str, Any]]:
    """The files with events up to `last`, each with its statistics, by path."""
    files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return {file["path"]: file for file in files if file["partition.event_date"] <= last}


def _all_arrived_later(file: dict[str, Any], end: datetime) -> bool:
    """Whether a file's statistics show that none of its rows had arrived at `end`."""
    earliest = file.get("min.ingested_at")
    return earliest is not None and file.get("null_count.ingested_at") == 0 and bool(earliest >= end)


def _known_rows(table: DeltaTable, day: date, end: datetime) -> pa.Table:
    """The events of `day` that had arrived at `end`, sorted; null `ingested_at` counts as arrived in time."""
    events = table.to_pyarrow_dataset(partitions=[("event_date", "=", str(day))]).to_table(columns=COMPARED)
    events = events.cast(pa.schema([schemas.INTERACTIONS.arrow_schema().field(name) for name in COMPARED]))
    arrived = events["ingested_at"]
    in_time = pc.or_(pc.is_null(arrived), pc.fill_null(pc.less(arrived, pa.scalar(end, schemas.TIME)), False))
    return _sorted(events.filter(in_time), COMPARED)


def _sorted(rows: pa.Table, columns: Iterable[str]) -> pa.Table:
    return rows.sort_by([(name, "ascending") for name in columns]).combine_chunks()


def _paths(table: DeltaTable) -> set[str]:
    return set(table.file_uris())
