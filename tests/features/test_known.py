"""The one operator that decides what a date sees: both sides of every border."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession

from recthinker.features.known import (
    arrived_too_late,
    cutoff,
    end_of,
    files_after,
    files_arriving,
    known_before,
    newly_known,
)
from recthinker.tables.schemas import INTERACTIONS
from recthinker.tables.store import TableStore
from tests.features.rows import event
from tests.tiny_world import frame

pytestmark = pytest.mark.spark

DAY = "2024-03-05"
MIDNIGHT = datetime(2024, 3, 6, tzinfo=UTC)
NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
GRACE_H = 2
BRIEF = timedelta(microseconds=1)


def items(df: DataFrame) -> set[str]:
    return {row.item_id for row in df.collect()}


@pytest.fixture
def interactions(spark: SparkSession) -> DataFrame:
    end = MIDNIGHT + timedelta(hours=GRACE_H)
    rows = [
        event("u", "last", MIDNIGHT - BRIEF),
        event("u", "next", MIDNIGHT),
        event("u", "in_time", NOON, ingested_at=end - BRIEF),
        event("u", "late", NOON, ingested_at=end),
        event("u", "later", NOON, ingested_at=end + timedelta(days=1)),
    ]
    return frame(spark, "interactions", rows)


def test_times_of_a_date() -> None:
    assert end_of(DAY) == MIDNIGHT
    assert cutoff(DAY, 1.5) == datetime(2024, 3, 6, 1, 30, tzinfo=UTC)


def test_a_date_ends_with_its_day_and_waits_for_arrivals_until_its_cutoff(interactions: DataFrame) -> None:
    assert items(known_before(interactions, DAY, GRACE_H)) == {"last", "in_time"}


def test_what_arrives_late_is_known_from_a_later_day_on(interactions: DataFrame) -> None:
    days = {row.item_id: row.known_day for row in known_before(interactions, "2024-03-09", GRACE_H).collect()}

    assert days["in_time"] == days["last"] == date(2024, 3, 5)
    assert days["late"] == days["next"] == date(2024, 3, 6)
    assert days["later"] == date(2024, 3, 7)


def test_dates_add_up(interactions: DataFrame) -> None:
    before = items(known_before(interactions, DAY, GRACE_H))

    assert items(newly_known(interactions, DAY, "2024-03-06", GRACE_H)) == {"next", "late"}
    assert items(newly_known(interactions, DAY, "2024-03-07", GRACE_H)) == {"next", "late", "later"}
    assert items(known_before(interactions, "2024-03-07", GRACE_H)) == before | {"next", "late", "later"}


def test_late_ones_are_told(interactions: DataFrame) -> None:
    assert items(arrived_too_late(interactions, DAY, GRACE_H)) == {"late", "later"}
    assert items(arrived_too_late(interactions, "2024-03-06", GRACE_H)) == {"later"}


def test_files_that_hold_nothing_new_are_not_read(store: TableStore) -> None:
    end = MIDNIGHT + timedelta(hours=GRACE_H)
    before = NOON - timedelta(days=2)
    rows = [
        event("u", "old", before, ingested_at=before),
        event("u", "older", before - timedelta(days=1)),
        event("u", "in_time", NOON, ingested_at=end - timedelta(seconds=1)),
        event("u", "late", NOON - timedelta(days=1), ingested_at=end + BRIEF),
        event("u", "known", NOON - timedelta(days=1)),
        event("u", "next", MIDNIGHT),
    ]
    store.overwrite(INTERACTIONS, frame(store.spark, "interactions", rows), run_id="test")

    new = store.read(INTERACTIONS, files=files_after(DAY, GRACE_H))
    late = store.read(INTERACTIONS, files=files_arriving(DAY, GRACE_H))

    assert items(new) == {"late", "known", "next"}
    assert items(newly_known(new, DAY, "2024-03-06", GRACE_H)) == {"late", "next"}
    assert items(late) == {"late", "known"}
    assert items(arrived_too_late(late, DAY, GRACE_H)) == {"late"}
