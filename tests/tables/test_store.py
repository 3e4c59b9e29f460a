"""The store: atomic, checked writes; what a refused write leaves; upserts; versions; the other reader."""

from collections.abc import Iterable
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from recthinker.errors import ConfigError, TableContractError
from recthinker.tables import disk
from recthinker.tables.arrow import commits, read_arrow, table_dates, table_version
from recthinker.tables.schemas import INTERACTIONS, ITEMS, QUARANTINE, SIMILAR_USERS, TABLES, USERS
from recthinker.tables.spark import spark_schema
from recthinker.tables.store import TableStore
from tests import tiny_world

pytestmark = pytest.mark.spark

DAY_1, DAY_2 = "2024-03-01", "2024-03-02"


def neighbours(store: TableStore, ds: str, **similar: float) -> DataFrame:
    """`similar_users` rows: each named user has u01 at that similarity."""
    rows = [(ds, user, [("u01", value)]) for user, value in similar.items()]
    return store.spark.createDataFrame(rows, spark_schema(SIMILAR_USERS))


def similarities(store: TableStore, ds: str, version: int | None = None) -> dict[str, float]:
    """User to similarity, as written by `neighbours`."""
    rows = store.read(SIMILAR_USERS, ds=ds, version=version).collect()
    return {row.user_id: row.neighbours[0].similarity for row in rows}


def test_write_ds_replaces_its_date_only(store: TableStore) -> None:
    store.write_ds(SIMILAR_USERS, neighbours(store, DAY_1, u02=0.1), ds=DAY_1, run_id="a")
    store.write_ds(SIMILAR_USERS, neighbours(store, DAY_2, u02=0.2, u03=0.3), ds=DAY_2, run_id="a")
    written = store.write_ds(SIMILAR_USERS, neighbours(store, DAY_2, u04=0.4), ds=DAY_2, run_id="b")
    assert (written.table, written.rows) == ("similar_users", 1)
    assert written.version == table_version(store.root, SIMILAR_USERS)
    assert similarities(store, DAY_1) == {"u02": 0.1}
    assert similarities(store, DAY_2) == {"u04": 0.4}
    assert similarities(store, DAY_2, version=written.version - 1) == {"u02": 0.2, "u03": 0.3}
    assert commits(store.root, SIMILAR_USERS)[0]["userMetadata"] == "b"
    assert table_dates(store.root, SIMILAR_USERS) == [DAY_1, DAY_2]


def test_write_ds_refuses_what_breaks_the_contract_and_keeps_the_old_rows(store: TableStore) -> None:
    good = neighbours(store, DAY_1, u02=0.1)
    store.write_ds(SIMILAR_USERS, good, ds=DAY_1, run_id="a")
    broken = {
        "no rows to write": good.where("false"),
        "missing: neighbours": good.drop("neighbours"),
        "not in the contract: extra": good.withColumn("extra", F.lit(1)),
        "user_id should be string, found int": good.withColumn("user_id", F.lit(1)),
        "1 rows with null in user_id": good.withColumn("user_id", F.lit(None).cast("string")),
        "1 rows with null in neighbours": good.withColumn("neighbours", F.when(F.lit(False), F.col("neighbours"))),
        "1 rows with a ds other than 2024-03-01": good.withColumn("ds", F.lit(DAY_2)),
        "1 rows repeat a key (ds, user_id), such as {'ds': '2024-03-01', 'user_id': 'u02'": good.union(good),
    }
    for message, rows in broken.items():
        with pytest.raises(TableContractError) as caught:
            store.write_ds(SIMILAR_USERS, rows, ds=DAY_1, run_id="b")
        assert "table similar_users" in str(caught.value)
        assert message in str(caught.value)
    assert similarities(store, DAY_1) == {"u02": 0.1}
    assert table_version(store.root, SIMILAR_USERS) == 1


def test_write_computes_the_rows_once(store: TableStore) -> None:
    computed = store.spark.sparkContext.accumulator(0)

    def count(rows: Iterable[Row]) -> Iterable[Any]:
        computed.add(1)
        return rows

    rows = neighbours(store, DAY_1, u02=0.1).coalesce(1)
    counted = store.spark.createDataFrame(rows.rdd.mapPartitions(count), spark_schema(SIMILAR_USERS))
    store.write_ds(SIMILAR_USERS, counted, ds=DAY_1, run_id="a")
    assert computed.value == 1


def test_low_disk_stops_a_write_before_it_starts(store: TableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MIN_FREE_BYTES", 2**62)
    with pytest.raises(ConfigError, match="MiB of free disk"):
        store.write_ds(SIMILAR_USERS, neighbours(store, DAY_1, u02=0.1), ds=DAY_1, run_id="a")
    assert not (store.root / "similar_users").exists()


def test_read_says_what_is_missing(store: TableStore) -> None:
    with pytest.raises(TableContractError, match="table similar_users is not under"):
        store.read(SIMILAR_USERS)
    store.write_ds(SIMILAR_USERS, neighbours(store, DAY_2, u02=0.1), ds=DAY_2, run_id="a")
    with pytest.raises(TableContractError, match=r"ds 2024-03-01; dates there: 2024-03-02\.\.2024-03-02"):
        store.read(SIMILAR_USERS, ds=DAY_1)
    with pytest.raises(TableContractError, match="similar_users at version 9 is not under"):
        store.read(SIMILAR_USERS, version=9)


def test_upsert_inserts_and_replaces_by_key(store: TableStore) -> None:
    users = tiny_world.users()[:2]
    store.upsert(USERS, tiny_world.frame(store.spark, "users", users), run_id="a")
    again = [{**users[1], "attributes": {"age": "99"}}, {"user_id": "u99", "attributes": {}}]
    store.upsert(USERS, tiny_world.frame(store.spark, "users", again), run_id="b")
    assert {row.user_id: row.attributes for row in store.read(USERS).collect()} == {
        "u01": users[0]["attributes"],
        "u02": {"age": "99"},
        "u99": {},
    }
    assert commits(store.root, USERS)[0]["userMetadata"] == "b"


def test_upsert_of_the_same_events_keeps_one_file_a_date(store: TableStore) -> None:
    events = tiny_world.frame(store.spark, "interactions", tiny_world.interactions())
    store.upsert(INTERACTIONS, events, run_id="a")
    store.upsert(INTERACTIONS, events, run_id="b")
    assert store.read(INTERACTIONS).count() == len(tiny_world.interactions())
    live = store.read(INTERACTIONS).inputFiles()
    assert len(live) == len({row["event_date"] for row in tiny_world.interactions()})


def test_replace_may_leave_nothing_of_what_it_replaces(store: TableStore) -> None:
    row = {
        "table": "items",
        "reason": "no item_id",
        "row_json": "{}",
        "ingested_at": tiny_world.interactions()[0]["event_time"],
    }
    refused = [{**row, "source": source} for source in ("a", "b")]
    store.overwrite(QUARANTINE, tiny_world.frame(store.spark, "quarantine", refused), run_id="a")
    nothing = tiny_world.frame(store.spark, "quarantine", [])
    store.replace(QUARANTINE, nothing, where="source in ('a')", run_id="b")
    assert [row.source for row in store.read(QUARANTINE).collect()] == ["b"]


def test_arrow_reads_every_landing_table_as_spark_does(tiny_store: TableStore) -> None:
    for table, rows in tiny_world.landing_rows().items():
        arrow = read_arrow(tiny_store.root, TABLES[table])
        assert arrow.schema.equals(TABLES[table].arrow_schema())
        as_python = [{k: dict(v) if k == "attributes" else v for k, v in row.items()} for row in arrow.to_pylist()]
        key = TABLES[table].key
        assert sorted(as_python, key=lambda r: [r[k] for k in key]) == sorted(rows, key=lambda r: [r[k] for k in key])


def test_arrow_takes_columns_and_refuses_unknown_ones(tiny_store: TableStore) -> None:
    assert read_arrow(tiny_store.root, ITEMS, columns=["title", "item_id"]).column_names == [
        "title",
        "item_id",
    ]
    with pytest.raises(TableContractError, match="table items has no column price"):
        read_arrow(tiny_store.root, ITEMS, columns=["price"])
