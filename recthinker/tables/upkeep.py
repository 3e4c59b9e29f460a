"""Upkeep of one table: old dates deleted, small files put together, files that nobody needs removed.

Everything goes through delta-rs, without Spark. Readers see one commit for the dates and one for the files that were
put together; that one changes no rows. Pinned versions stay readable (`recthinker.tables.pins`).
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError

from recthinker.settings import RetentionSettings
from recthinker.tables.arrow import Root, table_dates, table_location
from recthinker.tables.pins import LOG_RETENTION, Pin, Pinned, longer_log, resolve
from recthinker.tables.schemas import LANDING, OUTPUTS, Table
from recthinker.tables.sweep import Unneeded, find_unneeded, remove

logger = logging.getLogger(__name__)

COMPACTED = (*LANDING, *OUTPUTS)
"""Tables whose small files are put together; a build lays out the files of its own tables, in an order that counts."""
CROSSED = "another writer was in the way; run upkeep again"


@dataclass(slots=True)
class Upkept:
    """What was done to a table, or would be."""

    root: Root
    table: str
    dates: Sequence[str] = ()
    """Logical dates that were deleted."""
    compacted: int = 0
    """Partitions whose small files were put together."""
    unneeded: Unneeded = field(default_factory=lambda: Unneeded((), ()))
    """Files that were removed."""
    pinned: int = 0
    """Versions that are kept readable."""
    notes: list[str] = field(default_factory=list)
    """What else is to be known."""


def keep_up(
    root: Root,
    table: Table,
    settings: RetentionSettings,
    *,
    before: str | None,
    needed: Iterable[str] = (),
    pins: Iterable[Pin],
    now: datetime,
    run_id: str,
    dry_run: bool,
) -> Upkept:
    """Do the upkeep of a table that is there.

    Args:
        root: folder of the tables.
        table: contract of the table.
        settings: what to keep.
        before: logical dates before this one are deleted; None: all stay.
        needed: dates that stay all the same.
        pins: versions of this table that others refer to; their dates stay too.
        now: the time, with its zone.
        run_id: recorded with the commits.
        dry_run: whether only to tell what would be done.

    Raises:
        TableContractError: a pinned version cannot be read though its log is there; nothing was done.
    """
    pinned = resolve(root, table, pins)
    done = Upkept(root, table.name, pinned=len(pinned.versions), notes=_lost(pinned))
    mark = CommitProperties(custom_metadata={"upkeep": run_id})
    _keep_log(done, table, pinned, now, mark, dry_run=dry_run)
    try:
        _delete_dates(done, table, before, {*needed, *pinned.dates}, mark, dry_run=dry_run)
        _compact(done, table, settings, mark, dry_run=dry_run)
    except CommitFailedError:
        done.notes.append(CROSSED)
    hours = {"orphan_hours": settings.orphan_hours}
    done.unneeded = find_unneeded(root, table, vacuum_hours=settings.vacuum_hours, pinned=pinned.files, **hours)
    if not dry_run:
        remove(root, table, done.unneeded, **hours)
    return done


def _keep_log(
    done: Upkept, table: Table, pinned: Pinned, now: datetime, mark: CommitProperties, *, dry_run: bool
) -> None:
    """Raise the log retention of a table where pinned versions would outlive it."""
    longer = longer_log(done.root, table, pinned.versions, now)
    if longer is None:
        return
    done.notes.append(f"log kept for {longer.removeprefix('interval ')}")
    if not dry_run:
        _open(done.root, table).alter.set_table_properties({LOG_RETENTION: longer}, False, commit_properties=mark)


def _delete_dates(
    done: Upkept, table: Table, before: str | None, stay: set[str], mark: CommitProperties, *, dry_run: bool
) -> None:
    """Delete old dates in one commit."""
    if before is None or "ds" not in table.partition_by:
        return
    dates = [ds for ds in table_dates(done.root, table) if ds < before and ds not in stay]
    if dates and not dry_run:
        names = ", ".join(f"'{ds}'" for ds in dates)
        _open(done.root, table).delete(f"ds in ({names})", commit_properties=mark)
        logger.info("deleted table=%s root=%s dates=%s", table.name, done.root, names)
    done.dates = dates


def _compact(done: Upkept, table: Table, settings: RetentionSettings, mark: CommitProperties, *, dry_run: bool) -> None:
    """Put the small files of partitions with many of them together, in one commit."""
    if table not in COMPACTED:
        return
    target = settings.compact_target_mb * 2**20
    crowded = _crowded(done.root, table, target, settings.compact_above_files)
    if crowded and not dry_run:
        # A table of this project has at most one column that it is partitioned by here: an event's or a logical date.
        names = list(table.partition_by)
        _open(done.root, table).optimize.compact(
            partition_filters=[(names[0], "in", crowded)] if names else None,
            target_size=target,
            writer_properties=WriterProperties(compression="ZSTD", compression_level=1),
            commit_properties=mark,
        )
    done.compacted = len(crowded)


def _crowded(root: Root, table: Table, target: int, above: int) -> list[str]:
    """The partitions with more than `above` files below the target size; one without a name where there are none."""
    actions = pa.table(_open(root, table).get_add_actions(flatten=True))
    sizes = actions["size_bytes"].to_pylist()
    values = actions[f"partition.{table.partition_by[0]}"].to_pylist() if table.partition_by else [""] * len(sizes)
    small = Counter(str(value) for value, size in zip(values, sizes, strict=True) if size < target)
    return sorted(value for value, count in small.items() if count > above)


def _lost(pinned: Pinned) -> list[str]:
    return [f"version {version} cannot be read any more (needed by {by})" for version, by in pinned.lost.items()]


def _open(root: Root, table: Table) -> DeltaTable:
    return DeltaTable(table_location(root, table))
