"""Do two warehouses hold the same rows? The order of rows does not count, nor does what tells runs apart."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from recthinker.tables.schemas import TABLES

OF_A_RUN = ("run_id", "built_at", "hours_late", "seconds", "version", "inputs")
"""Columns that differ between two runs that did the same: ids, times, Delta versions."""


def table_names(*warehouses: Path) -> list[str]:
    """Names of the Delta tables that any of the warehouses has, sorted."""
    logs = (log for warehouse in warehouses for log in warehouse.glob("*/_delta_log"))
    return sorted({log.parent.name for log in logs})


def rows_of(warehouse: Path, name: str) -> pa.Table:
    """All rows of a table as a reader sees them, in the order of the key, without `OF_A_RUN`; maps sorted by key.

    A table that is not there has no rows.
    """
    contract = TABLES[name]
    path = str(warehouse / name)
    schema = contract.arrow_schema()
    rows = DeltaTable(path).to_pyarrow_table() if DeltaTable.is_deltatable(path) else schema.empty_table()
    rows = rows.select(contract.column_names).cast(schema)
    keep = [column for column in contract.column_names if column not in OF_A_RUN]
    rows = rows.sort_by([(column, "ascending") for column in contract.key or keep]).select(keep)
    return pa.table({column: _with_sorted_maps(rows[column]) for column in keep})


def are_same(left: pa.Table, right: pa.Table) -> bool:
    """Whether two results of `rows_of` hold the same rows, values compared exactly."""
    return left.num_rows == right.num_rows and left.equals(right)


def differences(left: Path, right: Path) -> Iterator[str]:
    """One line a table whose rows differ between two warehouses, with the first row that does."""
    for name in table_names(left, right):
        ours, theirs = rows_of(left, name), rows_of(right, name)
        if not are_same(ours, theirs):
            yield f"{name}: {ours.num_rows} rows and {theirs.num_rows}; {_first_difference(ours, theirs)}"


def _first_difference(left: pa.Table, right: pa.Table) -> str:
    for index, (ours, theirs) in enumerate(zip(left.to_pylist(), right.to_pylist(), strict=False)):
        if ours != theirs:
            return f"first difference in row {index}: {str(ours)[:500]} and {str(theirs)[:500]}"
    return "the shorter one is the beginning of the longer one"


def _with_sorted_maps(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_map(column.type):
        return column.combine_chunks()
    return pa.array([pairs and sorted(pairs) for pairs in column.to_pylist()], column.type)
