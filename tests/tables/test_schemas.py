"""Laws that every contract keeps."""

import pytest

from recthinker.tables.schemas import FEATURES, TABLES, Table

ALL = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


@ALL
def test_keys_and_partitions_are_columns_without_nulls(table: Table) -> None:
    required = {column.name for column in table.columns if not column.nullable}
    assert {*table.key, *table.partition_by} <= required


@ALL
def test_columns_are_named_once_and_told(table: Table) -> None:
    assert len(set(table.column_names)) == len(table.columns)
    assert all(column.doc for column in table.columns)


@pytest.mark.parametrize("table", FEATURES, ids=lambda table: table.name)
def test_features_are_keyed_and_partitioned_by_date(table: Table) -> None:
    assert table.key[0] == "ds"
    assert table.partition_by == ("ds",)
