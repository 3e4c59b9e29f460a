"""`recthinker status`: how fresh the tables are, from `table_status`."""

from datetime import datetime

from rich.console import Console
from rich.table import Table

from recthinker.tables.arrow import Root
from recthinker.tables.status import TableStatus, read_status


def show_status(root: Root, now: datetime, console: Console) -> None:
    """Print the newest date of each table that was built: when, how late, how old by `now`, and what to look at."""
    newest: dict[str, TableStatus] = {}
    for row in read_status(root):
        newest[row.table] = row
    if not newest:
        console.print(f"nothing was built yet under {root}; run `recthinker nightly`", highlight=False, markup=False)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("table", "date", "built at", "how"):
        table.add_column(name)
    for name in ("age", "hours late", "rows", "events too late"):
        table.add_column(name, justify="right")
    table.add_column("warnings")
    for row in newest.values():
        table.add_row(*_cells(row, now))
    console.print(table)


def _cells(row: TableStatus, now: datetime) -> tuple[str, ...]:
    return (
        row.table,
        row.ds,
        f"{row.built_at:%Y-%m-%d %H:%M}",
        f"{row.built} on {row.base_ds}" if row.base_ds else row.built,
        _age((now - row.built_at).total_seconds() / 3600),
        f"{row.hours_late:.1f}",
        f"{row.rows:,}",
        "" if row.late_events is None else f"{row.late_events:,}",
        "; ".join(row.warnings),
    )


def _age(hours: float) -> str:
    """Hours up to two days, then days."""
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.0f} d"
