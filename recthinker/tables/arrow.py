"""Tables without Spark: what is there, which version, and rows as Arrow, through delta-rs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from recthinker.errors import TableContractError
from recthinker.tables.schemas import Table

Root = Path | str
"""Folder of tables: a local path, or a URI of an object store."""


def table_location(root: Root, table: Table) -> str:
    """Where a table lies: an absolute path, or a URI."""
    if isinstance(root, str) and "://" in root:
        return f"{root.rstrip('/')}/{table.name}"
    return str((Path(root) / table.name).absolute())


def table_version(root: Root, table: Table) -> int:
    """Newest version of the table.

    Raises:
        TableContractError: the table does not exist.
    """
    return open_table(root, table).version()


def table_dates(root: Root, table: Table, *, version: int | None = None) -> list[str]:
    """The logical dates that a table partitioned by `ds` has rows for, sorted; reads no rows."""
    return sorted({str(partition["ds"]) for partition in open_table(root, table, version=version).partitions()})


def require_ds(root: Root, table: Table, ds: str, *, version: int | None = None) -> None:
    """Make sure that the table has rows for `ds`.

    Raises:
        TableContractError: the table does not exist, or has no rows for `ds`; the dates that are there are
            named.
    """
    dates = table_dates(root, table, version=version)
    if ds not in dates:
        there = f"{dates[0]}..{dates[-1]}" if dates else "none"
        raise TableContractError(
            f"table {table.name} has no rows for ds {ds}; dates there: {there}; run the job that writes it first"
        )


def read_arrow(
    root: Root,
    table: Table,
    *,
    ds: str | None = None,
    version: int | None = None,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Rows of a table, with the contract's types.

    Args:
        root: folder of the tables.
        table: contract of the table.
        ds: one logical date; None: all.
        version: a version of the table; None: the newest.
        columns: names of columns, in the order wanted; None: all of the contract. One that a migration added later,
            or has still to add, is null.

    Raises:
        TableContractError: the table, the version or rows for `ds` do not exist, or a column is not in the
            contract.
    """
    names = list(columns or table.column_names)
    unknown = sorted(set(names) - set(table.column_names))
    if unknown:
        raise TableContractError(
            f"table {table.name} has no column {', '.join(unknown)}; columns: {', '.join(table.column_names)}"
        )
    if ds is not None:
        require_ds(root, table, ds, version=version)
    filters = [("ds", "=", ds)] if ds is not None else None
    delta, schema = open_table(root, table, version=version), table.arrow_schema()
    there = {field.name for field in delta.schema().fields}
    added = [name for name in names if name not in there and schema.field(name).nullable]
    rows = delta.to_pyarrow_table(filters=filters, columns=[name for name in names if name not in added])
    for name in added:
        rows = rows.append_column(schema.field(name), pa.nulls(len(rows), schema.field(name).type))
    return rows.select(names).cast(pa.schema([schema.field(name) for name in names]))


def data_actions(delta: DeltaTable) -> pa.Table:
    """A row a data file: path, size_bytes, partition.<column>, min.<column>, max.<column>, null_count.<column>."""
    return pa.table(delta.get_add_actions(flatten=True))


def commits(root: Root, table: Table) -> list[dict[str, Any]]:
    """The table's commits, newest first, as Delta's history tells them; none where there is no table."""
    location = table_location(root, table)
    return DeltaTable(location).history() if DeltaTable.is_deltatable(location) else []


def open_table(root: Root, table: Table, *, version: int | None = None) -> DeltaTable:
    """The table at a version (None: the newest).

    Raises:
        TableContractError: there is no such table or version.
    """
    try:
        return DeltaTable(table_location(root, table), version=version)
    except (TableNotFoundError, DeltaError) as error:
        if version is None and not isinstance(error, TableNotFoundError):
            raise
        at = "" if version is None else f" at version {version}"
        raise TableContractError(
            f"table {table.name}{at} is not under {root}; run the job that writes it first"
        ) from error
