"""Lineage: from a table of a date back to what it was made from, down to landing tables and source files.

`table_status` tells it of tables that were built, `run_manifest` of what a night read, the commits of landing tables of
what was ingested. Nothing is opened but these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deltalake import DeltaTable

from recthinker.errors import TableContractError
from recthinker.report.data import read_manifest
from recthinker.tables import schemas
from recthinker.tables.arrow import Root, commits, table_location
from recthinker.tables.log import LAYOUT_OPERATIONS
from recthinker.tables.schemas import INGESTS, Table
from recthinker.tables.status import TableStatus, read_status

FROM_MANIFEST = (schemas.RECOMMENDATIONS, schemas.TRAJECTORIES, schemas.RUN_MANIFEST)
"""Tables that a night writes: its manifest tells what they come from."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A table, a commit or a file, and what it was made from."""

    name: str
    facts: Mapping[str, str] = field(default_factory=dict)
    """What is known of it, by what it is called."""
    sources: tuple["Origin", ...] = ()
    """What it was made from; none at the end of what is known."""


def lineage(root: Root, table: Table, ds: str) -> Origin:
    """What the rows of `ds` of a table come from.

    Args:
        root: folder of the tables.
        table: any table that is written for a date, or a landing table, whose newest version is then told.
        ds: logical date.

    Raises:
        TableContractError: nothing is recorded of the table and date.
    """
    known = _Known(root, ds)
    if table in FROM_MANIFEST:
        return known.night(table)
    if table in schemas.LANDING:
        return known.landing(table, None)
    if table.name not in known.statuses:
        dates = sorted({row.ds for row in read_status(root) if row.table == table.name})
        there = f"{dates[0]}..{dates[-1]}" if dates else "none"
        raise TableContractError(
            f"lineage of {table.name} of ds {ds}: expected a row in table_status, found none; dates there: {there}; "
            "build that date first"
        )
    return known.built(table.name, None)


class _Known:
    """What is recorded of one date."""

    def __init__(self, root: Root, ds: str) -> None:
        self.root = root
        self.ds = ds
        self.statuses = {row.table: row for row in read_status(root, ds)}
        self._files = _ingested_files(root)

    def night(self, table: Table) -> Origin:
        """A table that a night wrote, from the run published last."""
        manifest = read_manifest(self.root, self.ds)
        facts = {
            "ds": self.ds,
            "run": manifest["run_id"],
            "published": f"{manifest['published_at']:%Y-%m-%d %H:%M}",
            "model": manifest["model_version"],
            "prompt": manifest["prompt_version"],
        }
        read = sorted(manifest["table_versions"].items())
        return Origin(table.name, facts, tuple(self.any(name, version) for name, version in read))

    def any(self, name: str, version: int) -> Origin:
        """A table that was read at `version`."""
        table = schemas.TABLES.get(name)
        return self.landing(table, version) if table in schemas.LANDING and table else self.built(name, version)

    def built(self, name: str, version: int | None) -> Origin:
        """A table that was built for the date.

        Args:
            name: of the table.
            version: that was read; None: what stands now.
        """
        row = self.statuses.get(name)
        if row is None:
            return Origin(name, self._unrecorded(name, version))
        facts = _facts(row)
        if version is not None and version < row.version:
            facts["note"] = f"read at version {version}, built again since"
        inputs = sorted(row.inputs.items())
        return Origin(name, facts, tuple(self.any(other, read) for other, read in inputs if other != name))

    def landing(self, table: Table, version: int | None) -> Origin:
        """A landing table with the commits up to `version`, newest first; None: all."""
        found = [
            commit
            for commit in commits(self.root, table)
            if _is_write(commit) and (version is None or int(commit["version"]) <= version)
        ]
        at = version if version is not None else max((int(commit["version"]) for commit in found), default=-1)
        return Origin(table.name, {"version": str(at)}, tuple(self._commit(table.name, commit) for commit in found))

    def _commit(self, name: str, commit: Mapping[str, Any]) -> Origin:
        run_id, _, mark = str(commit.get("userMetadata") or "").partition(" ")
        facts = {"at": _time(commit), "run": run_id or "unknown"}
        if mark:
            facts["data"] = mark
        return Origin(f"commit {commit['version']}", facts, self._files.get((run_id, name), ()))

    def _unrecorded(self, name: str, version: int | None) -> dict[str, str]:
        """What the commit that was read tells of a table that `table_status` does not know."""
        facts = {"ds": self.ds, "version": str(version), "note": "not in table_status"}
        table = schemas.TABLES.get(name)
        for commit in commits(self.root, table) if table else []:
            if commit["version"] == version:
                facts |= {"run": str(commit.get("userMetadata") or "unknown"), "built": _time(commit)}
        return facts


def _facts(row: TableStatus) -> dict[str, str]:
    """What `table_status` says of a table, for people."""
    facts = {
        "ds": row.ds,
        "version": str(row.version),
        "built": f"{row.built_at:%Y-%m-%d %H:%M}, {row.built}" + (f" on {row.base_ds}" if row.base_ds else ""),
        "run": row.run_id,
        "rows": f"{row.rows:,}",
        "hours late": f"{row.hours_late:.1f}",
        "definition": row.definition,
    }
    if row.late_events:
        facts["events too late"] = f"{row.late_events:,}"
    if row.warnings:
        facts["warnings"] = "; ".join(row.warnings)
    return facts


def _ingested_files(root: Root) -> dict[tuple[str, str], tuple[Origin, ...]]:
    """The files that a run ingested for a landing table, by run and table; none where that was not recorded."""
    location = table_location(root, INGESTS)
    if not DeltaTable.is_deltatable(location):
        return {}
    files: dict[tuple[str, str], tuple[Origin, ...]] = {}
    for row in DeltaTable(location).to_pyarrow_table().to_pylist():
        facts = {"bytes": f"{row['size']:,}", "reader": row["reader"]}
        if row["sha256"]:
            facts["sha256"] = row["sha256"][:12]
        if row["version"] is not None:
            facts["version"] = str(row["version"])
        key = (row["run_id"], row["table"])
        files[key] = (*files.get(key, ()), Origin(row["path"], facts))
    return files


def _is_write(commit: Mapping[str, Any]) -> bool:
    """Whether a commit is more than the making of the table and its upkeep."""
    return not str(commit.get("operation")).startswith((*LAYOUT_OPERATIONS, "OPTIMIZE", "VACUUM"))


def _time(commit: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(int(commit['timestamp']) / 1000, UTC):%Y-%m-%d %H:%M}"
