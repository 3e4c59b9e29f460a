"""`recthinker maintain`: the upkeep of all tables, and a table of what was done."""

from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from recthinker.registry import Registry
from recthinker.settings import Settings
from recthinker.tables.locks import hold
from recthinker.tables.upkeep import Upkept
from recthinker.upkeep import maintain

DATES_SHOWN = 2
"""Deleted dates up to which each is named."""


def show_upkeep(settings: Settings, console: Console, *, now: datetime, run_id: str, dry_run: bool) -> None:
    """Do the upkeep, or only look what it would do, and print it."""
    with hold(settings.paths.locks / "upkeep.lock", "upkeep of the tables", timeout_s=0):
        reads = Registry(settings).table_reads()
        done = maintain(settings.paths, settings.retention, reads, now=now, run_id=run_id, dry_run=dry_run)
    if not done:
        console.print(f"no tables under {settings.paths.warehouse}", highlight=False, markup=False)
        return
    if dry_run:
        console.print("what upkeep would do:")
    table = Table(box=None, pad_edge=False)
    for name in ("folder", "table", "dates deleted"):
        table.add_column(name)
    for name in ("partitions compacted", "replaced files", "orphans", "versions kept"):
        table.add_column(name, justify="right")
    table.add_column("notes")
    for one in done:
        table.add_row(*_cells(one))
    console.print(table)


def _cells(one: Upkept) -> tuple[str, ...]:
    counts = (one.compacted, len(one.unneeded.replaced), len(one.unneeded.orphans), one.pinned)
    return (Path(one.root).name, one.table, _dates(one), *(str(n or "") for n in counts), "; ".join(one.notes))


def _dates(one: Upkept) -> str:
    if len(one.dates) <= DATES_SHOWN:
        return ", ".join(one.dates)
    return f"{len(one.dates)}: {one.dates[0]}..{one.dates[-1]}"
