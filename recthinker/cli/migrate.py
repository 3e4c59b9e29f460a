"""`recthinker migrate`: bring tables that another release made to what this one expects."""

from rich.console import Console
from rich.table import Table

from recthinker.settings import PathSettings
from recthinker.tables.migrations import Step, migrate, pending
from recthinker.tables.roots import table_roots


def show_migrations(paths: PathSettings, console: Console, *, dry_run: bool) -> None:
    """Do the migrations of the warehouse and the cuts, or only show them.

    Raises:
        TableContractError: a migration cannot be done, or a table differs from its contract in what none does.
    """
    roots = table_roots(paths.warehouse, paths.cuts)
    steps = pending(roots)
    if steps:
        console.print(_table(steps))
    if dry_run:
        console.print(f"{len(steps)} migrations to do", highlight=False)
        return
    migrate(roots)
    console.print(f"{len(steps)} migrations done; all tables have this release's columns", highlight=False)


def _table(steps: list[Step]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("migration", "table", "folder", "change", "why"):
        table.add_column(name)
    for step in steps:
        migration = step.migration
        table.add_row(str(migration.number), migration.table.name, str(step.root), step.change, migration.why)
    return table
