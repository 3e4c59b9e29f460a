"""Reading by the list of files in the log: the rows of Delta's own reader, which takes over where files do not do."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import CommitProperties
from deltalake.transaction import AddAction
from pyspark.sql import DataFrame

from recthinker.tables.arrow import open_table
from recthinker.tables.schemas import CO_INTERACTION_PAIRS, INTERACTIONS, ITEM_RELATIONS, ITEMS, USERS, Table
from recthinker.tables.spark import spark_schema
from recthinker.tables.staging import write_staged
from recthinker.tables.store import TableStore
from tests import tiny_world

pytestmark = pytest.mark.spark


def by_delta(store: TableStore, table: Table, version: int | None = None) -> DataFrame:
    reader = store.spark.read.format("delta")
    return (reader if version is None else reader.option("versionAsOf", version)).load(store.path(table))


def rows(df: DataFrame) -> list[str]:
    return sorted(map(str, df.collect()))


@pytest.mark.parametrize("table", [INTERACTIONS, ITEMS, USERS, ITEM_RELATIONS], ids=lambda table: table.name)
def test_rows_and_columns_are_those_that_delta_reads(table: Table, tiny_store: TableStore) -> None:
    found = tiny_store.read(table)

    assert found.columns == table.column_names
    assert [field.dataType for field in found.schema] == [field.dataType for field in spark_schema(table)]
    assert rows(found) == rows(by_delta(tiny_store, table).select(*table.column_names)) != []


def test_a_version_has_the_rows_that_it_had(store: TableStore) -> None:
    tiny_world.land(store)
    before = open_table(store.root, USERS).version()
    known = rows(store.read(USERS))
    store.overwrite(USERS, store.read(USERS).limit(1), run_id="later")

    assert len(rows(store.read(USERS))) == 1
    assert rows(store.read(USERS, version=before)) == known == rows(by_delta(store, USERS, before))


def test_files_are_left_out_by_what_the_log_says_of_them(tiny_store: TableStore) -> None:
    whole = tiny_store.read(INTERACTIONS)
    days = sorted(row.event_date for row in whole.select("event_date").distinct().collect())

    some = tiny_store.read(INTERACTIONS, files=pc.field("partition.event_date") == days[0])
    none = tiny_store.read(INTERACTIONS, files=pc.field("num_records") < 0)

    assert rows(some) == rows(whole.where(whole["event_date"] == days[0])) != rows(whole)
    assert rows(none) == []
    assert none.columns == whole.columns


def test_rows_that_a_deletion_vector_removes_are_not_read(store: TableStore) -> None:
    tiny_world.land(store)
    spark, path = store.spark, store.path(ITEMS)
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES (delta.enableDeletionVectors = true)")
    removed = store.read(ITEMS).first()
    assert removed is not None
    spark.sql(f"DELETE FROM delta.`{path}` WHERE item_id = '{removed.item_id}'")

    left = [row.item_id for row in store.read(ITEMS).collect()]

    assert removed.item_id not in left
    assert len(left) == len(tiny_world.items()) - 1


def test_partition_values_that_only_the_log_knows_are_read(store: TableStore) -> None:
    store.create(CO_INTERACTION_PAIRS)
    root = store.path(CO_INTERACTION_PAIRS)
    plain = [f for f in CO_INTERACTION_PAIRS.arrow_schema() if f.name not in CO_INTERACTION_PAIRS.partition_by]
    pair = pa.Table.from_pylist([{"item": 1, "neighbour": 2, "support": 3, "next_weight": 4}], schema=pa.schema(plain))
    file = write_staged(root, "elsewhere/pairs.parquet", pair, {"ds": "2024-03-01", "block": "7"})
    delta = open_table(store.root, CO_INTERACTION_PAIRS)
    delta.create_write_transaction(
        [AddAction(file.path, file.size, dict(file.partition), 0, data_change=True, stats=file.stats)],
        "append",
        delta.schema(),
        partition_by=list(CO_INTERACTION_PAIRS.partition_by),
        commit_properties=CommitProperties(),
    )

    (row,) = store.read(CO_INTERACTION_PAIRS).collect()

    assert (row.ds, row.block, row.item, row.neighbour, row.support, row.next_weight) == ("2024-03-01", 7, 1, 2, 3, 4)
