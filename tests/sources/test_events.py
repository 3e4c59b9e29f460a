"""Which events are written, and what arrival late ones get: both sides of each rule."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyspark.sql import DataFrame, SparkSession

from recthinker.sources.events import arrived, differing, newest_built, write_events
from recthinker.tables.arrow import commits, open_table, read_arrow
from recthinker.tables.schemas import INTERACTIONS, TABLE_STATUS
from recthinker.tables.spark import spark_schema
from recthinker.tables.store import TableStore

pytestmark = pytest.mark.spark

NOW = datetime(2024, 4, 1, 9, tzinfo=UTC)
LATER = datetime(2024, 4, 2, 9, tzinfo=UTC)


def event(day: int, user: str = "u", *, rating: float | None = None, told: datetime | None = None) -> dict[str, Any]:
    """An event at noon of a day of March 2024."""
    at = datetime(2024, 3, day, 12, tzinfo=UTC)
    row = {"user_id": user, "item_id": "i", "event_time": at, "event_type": "view", "rating": rating}
    return {**row, "ingested_at": told, "source": "s", "event_date": at.date()}


def frame(spark: SparkSession, *events: dict[str, Any]) -> DataFrame:
    """Rows of interactions."""
    return spark.createDataFrame([tuple(row.values()) for row in events], spark_schema(INTERACTIONS))


def landed(store: TableStore) -> dict[tuple[str, int], tuple[float | None, datetime | None]]:
    """User and day to rating and arrival."""
    rows = read_arrow(store.root, INTERACTIONS).to_pylist()
    return {(row["user_id"], row["event_date"].day): (row["rating"], row["ingested_at"]) for row in rows}


def mark_built(store: TableStore, *days: str) -> None:
    """A table_status that says that features were built for `days`; only its `ds` counts here."""
    rows = [{"ds": day, "table": "user_history"} for day in days]
    table = pa.Table.from_pylist(rows, schema=pa.schema([("ds", pa.string()), ("table", pa.string())]))
    write_deltalake(store.path(TABLE_STATUS), table, partition_by=["ds"])


def test_events_of_built_dates_arrived_late_and_others_did_not(spark: SparkSession) -> None:
    told = datetime(2024, 3, 11, tzinfo=UTC)
    events = frame(spark, event(9), event(10), event(11), event(10, "v", told=told))
    rows = arrived(differing(events, None), "2024-03-10", NOW).collect()
    assert {(row.user_id, row.event_date.day): (row.ingested_at, row.is_late) for row in rows} == {
        ("u", 9): (NOW.replace(tzinfo=None), True),
        ("u", 10): (NOW.replace(tzinfo=None), True),
        ("u", 11): (None, False),
        ("v", 10): (told.replace(tzinfo=None), False),
    }
    none_built = arrived(differing(events, None), None, NOW).where(
        "is_late or (user_id = 'u' and ingested_at is not null)"
    )
    assert none_built.isEmpty()


def test_events_that_are_there_and_the_same_are_left_out(spark: SparkSession) -> None:
    there = frame(spark, event(1, rating=3.0), event(2, told=NOW), event(3, told=NOW), event(4), event(5, rating=1.0))
    again = frame(
        spark,
        event(1, rating=3.0),
        event(2),
        event(3, told=LATER),
        event(4, rating=2.0),
        event(5),
        event(6),
    )
    rows = differing(again, there).collect()
    assert {row.event_date.day: row.is_new for row in rows} == {3: False, 4: False, 5: False, 6: True}


def test_same_events_again_touch_no_file_and_keep_their_arrival(store: TableStore, spark: SparkSession) -> None:
    mark_built(store, "2024-03-09", "2024-03-10")
    assert newest_built(store.root) == "2024-03-10"
    events = frame(spark, event(9), event(20, rating=3.0))
    assert str(write_events(store, events, now=NOW, run_id="r source=1")) == (
        "2 new, 0 changed, 1 arrived after 2024-03-10 was built"
    )
    files = open_table(store.root, INTERACTIONS).file_uris()
    count = write_events(store, events, now=LATER, run_id="r source=2")
    assert (count.new, count.changed, count.late) == (0, 0, 0)
    assert open_table(store.root, INTERACTIONS).file_uris() == files
    assert commits(store.root, INTERACTIONS)[0]["userMetadata"] == "r source=2"
    assert landed(store) == {("u", 9): (None, NOW), ("u", 20): (3.0, None)}


def test_new_events_are_appended_and_changed_ones_merged(store: TableStore, spark: SparkSession) -> None:
    write_events(store, frame(spark, event(19), event(20, rating=3.0, told=NOW)), now=NOW, run_id="r source=1")
    before = set(open_table(store.root, INTERACTIONS).file_uris())
    events = frame(spark, event(19), event(19, "v"), event(20, rating=4.0))
    count = write_events(store, events, now=LATER, run_id="r source=2")
    assert str(count) == "1 new, 1 changed"
    # The rating changed, the arrival that was told stays.
    assert landed(store) == {("u", 19): (None, None), ("v", 19): (None, None), ("u", 20): (4.0, NOW)}
    newest, appended = commits(store.root, INTERACTIONS)[:2]
    assert (newest["operation"], newest["userMetadata"]) == ("MERGE", "r source=2")
    assert (appended["operation"], "source=" in appended["userMetadata"]) == ("WRITE", False)
    kept = before & set(open_table(store.root, INTERACTIONS).file_uris())
    assert ["event_date=2024-03-19" in uri for uri in kept] == [True]
