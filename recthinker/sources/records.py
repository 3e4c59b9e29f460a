"""Table `ingests`: what was ingested, one row a file or version of a Delta table; and what need not be read again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa
from deltalake import DeltaTable

from recthinker.sources.inputs import Input
from recthinker.sources.raw import Ingested
from recthinker.tables.arrow import Root, commits, read_arrow, table_location
from recthinker.tables.schemas import INGESTS, INTERACTIONS, QUARANTINE

UNKNOWN_ITEM = "unknown item"
"""Reason that a later ingest may heal, since it may bring the item."""


@dataclass(frozen=True, slots=True)
class TableCount:
    """What became of a source table's rows: read = kept + quarantined."""

    read: int
    kept: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an ingest is known by."""

    run_id: str
    reader: str
    options: str
    """Fingerprint of reader, options and rules."""
    fingerprint: str
    """Of those and of all data."""

    @property
    def mark(self) -> str:
        """What the commit of `interactions` that ends the ingest carries."""
        return f"source={self.fingerprint}"


def finished_version(root: Root, mark: str) -> int | None:
    """The version of `interactions` whose commit carries `mark`; needs no Spark."""
    for commit in commits(root, INTERACTIONS):
        if str(commit.get("userMetadata", "")).endswith(mark):
            return int(commit["version"])
    return None


def ingested_before(root: Root, options: str) -> list[Ingested]:
    """The versions of Delta tables that ingests with the same `options` have finished, and that left no event for want
    of its item: that is read again, since the item may be there now.
    """
    if not DeltaTable.is_deltatable(table_location(root, INGESTS)):
        return []
    marks = {str(commit.get("userMetadata", "")).rpartition("source=")[2] for commit in commits(root, INTERACTIONS)}
    wanting = _sources_wanting_items(root)
    return [
        Ingested(row["table"], row["table_id"], row["version"])
        for row in read_arrow(root, INGESTS).to_pylist()
        if row["table_id"] and row["options"] == options and row["fingerprint"] in marks
        if str(row["source"]).partition("@")[0] not in wanting
    ]


def record(
    recipe: Recipe, inputs: Sequence[Input], sources: Mapping[str, str], counts: Mapping[str, TableCount], now: datetime
) -> pa.Table:
    """Rows of `ingests`.

    Args:
        recipe: the ingest.
        inputs: all that was read.
        sources: landing table to the source of its rows.
        counts: landing table to its rows read, kept and quarantined.
        now: when.
    """
    nothing = TableCount(0, 0, 0)
    rows = [
        {
            **{name: getattr(recipe, name) for name in ("run_id", "reader", "options", "fingerprint")},
            **asdict(given),
            "path": str(given.path.absolute()),
            "ingested_at": now,
            "source": sources.get(given.table),
            **asdict(counts.get(given.table, nothing)),
        }
        for given in inputs
    ]
    return pa.Table.from_pylist(rows, schema=INGESTS.arrow_schema())


def _sources_wanting_items(root: Root) -> set[str]:
    """Sources, without their version, with events that were refused for want of their item."""
    if not DeltaTable.is_deltatable(table_location(root, QUARANTINE)):
        return set()
    refused = read_arrow(root, QUARANTINE, columns=["source", "reason"]).to_pylist()
    return {row["source"].partition("@")[0] for row in refused if row["reason"] == UNKNOWN_ITEM}
