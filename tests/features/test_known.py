from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from recthinker.features.known import known_before
from tests.features.rows import event
from tests.tiny_world import frame

pytestmark = pytest.mark.spark

MIDNIGHT = datetime(2024, 3, 6, tzinfo=UTC)
NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)


def test_known_before_ends_with_the_day(spark: SparkSession) -> None:
    rows = [event("u", "last", MIDNIGHT - timedelta(microseconds=1)), event("u", "next", MIDNIGHT)]

    known = known_before(frame(spark, "interactions", rows), "2024-03-05")

    assert [row.item_id for row in known.collect()] == ["last"]


def test_known_before_cutoff_asks_for_arrival(spark: SparkSession) -> None:
    cutoff = datetime(2024, 3, 6, 2, tzinfo=UTC)
    rows = [
        event("u", "unknown", NOON),
        event("u", "in_time", NOON, ingested_at=cutoff),
        event("u", "late", NOON, ingested_at=cutoff + timedelta(microseconds=1)),
    ]
    interactions = frame(spark, "interactions", rows)

    for given in (cutoff, cutoff.replace(tzinfo=None)):
        known = known_before(interactions, "2024-03-05", given)
        assert {row.item_id for row in known.collect()} == {"unknown", "in_time"}
    assert known_before(interactions, "2024-03-05").count() == 3
