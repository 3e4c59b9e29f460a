"""The upkeep of all tables, one after the other, after everything that refers to them was looked up."""

from collections.abc import Iterable
from datetime import datetime

from deltalake import DeltaTable

from recthinker.registry import TableRead
from recthinker.settings import PathSettings, RetentionSettings
from recthinker.tables import schemas
from recthinker.tables.arrow import Root, table_dates, table_location
from recthinker.tables.schemas import TABLES, Table
from recthinker.tables.upkeep import Upkept, keep_up
from recthinker.upkeep.references import DATED, PAIRS, References, find_references, first_kept


def maintain(
    paths: PathSettings,
    settings: RetentionSettings,
    reads: Iterable[TableRead],
    *,
    now: datetime,
    run_id: str,
    dry_run: bool = False,
) -> list[Upkept]:
    """Do the upkeep of the warehouse and the cuts; what was done, by folder and table.

    Args:
        paths: where tables and runs lie.
        settings: what to keep.
        reads: what the registry's models and trainings read (`Registry.table_reads`).
        now: the time, with its zone.
        run_id: recorded with the commits.
        dry_run: whether only to tell what would be done.

    Raises:
        SnapshotError: the plan of a run cannot be read; nothing was done.
        TableContractError: a version that somebody refers to cannot be read; this table stays as it was.
    """
    references = find_references(paths, settings, reads, now=now)
    return [
        keep_up(
            root,
            table,
            settings,
            before=_first_kept(root, table, references, settings),
            needed=references.pair_dates[root] if table is PAIRS else (),
            pins=[pin for pin in references.pins if pin.root == root and pin.table == table.name],
            now=now,
            run_id=run_id,
            dry_run=dry_run,
        )
        for root in references.roots
        for table in TABLES.values()
        if DeltaTable.is_deltatable(table_location(root, table))
    ]


def _first_kept(root: Root, table: Table, references: References, settings: RetentionSettings) -> str | None:
    """The oldest date of a table that stays; None: all stay."""
    if table in DATED:
        return references.first_ds[root]
    if table not in schemas.OUTPUTS or settings.keep_output_days is None:
        return None
    dates = table_dates(root, table)
    return first_kept(dates[-1], settings.keep_output_days) if dates else None
