"""Each rule of ingest on rows made for it: what is kept, what is quarantined and why."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from recthinker.settings import Settings
from recthinker.sources.raw import RAW_COLUMNS, RawTable, raw_table
from recthinker.sources.validation import Judged, judge, read_time

pytestmark = pytest.mark.spark

GOOD = {"user_id": "u1", "item_id": "i1", "event_time": "874965758", "event_type": "rating", "rating": "4"}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"user_id": " "}, "no user_id"),
    ({"item_id": None}, "no item_id"),
    ({"event_time": None}, "no readable event_time"),
    ({"event_time": "yesterday"}, "no readable event_time"),
    ({"event_time": "0"}, "event_time outside 1990..2100"),
    ({"event_time": "99999999999"}, "event_time outside 1990..2100"),
    ({"event_type": ""}, "no event_type"),
    ({"rating": "good"}, "rating is not a number"),
    ({"rating": "NaN"}, "rating is not a number"),
    ({"rating": "5.5"}, "rating outside 0..5"),
    ({"item_id": "i9"}, "unknown item"),
    ({"user_id": "", "rating": "good"}, "no user_id"),
]


def judge_rows(spark: SparkSession, settings: Settings, table: str, rows: list[dict[str, Any]]) -> Judged:
    """Verdicts on rows given by raw column; only item i1 is known."""
    schema = ", ".join(f"{name} string" for name in RAW_COLUMNS[table])
    frame = spark.createDataFrame([tuple(row.get(name) for name in RAW_COLUMNS[table]) for row in rows], schema)
    known = spark.createDataFrame([("i1",)], "item_id string")
    return judge(RawTable(table, frame, "test:a/b"), settings.ingest, known)


def test_each_bad_event_is_quarantined_whole_with_the_first_rule_it_breaks(
    spark: SparkSession, settings: Settings
) -> None:
    events = [{**GOOD, **change} for change, _ in BAD]
    judged = judge_rows(spark, settings, "interactions", [GOOD, *events])
    now = datetime(2024, 1, 1, tzinfo=UTC)
    refused = judged.quarantined(now).collect()
    expected = sorted((reason, str(event["user_id"])) for event, (_, reason) in zip(events, BAD, strict=True))
    assert sorted((row.reason, json.loads(row.row_json)["user_id"]) for row in refused) == expected
    assert {(row.table, row.source) for row in refused} == {("interactions", "test:a/b")}
    unreadable = next(row for row in refused if "yesterday" in row.row_json)
    assert json.loads(unreadable.row_json)["rating"] == "4"
    kept = judged.kept().selectExpr("*", "cast(event_time as string) as at").collect()
    assert [(row.user_id, row.item_id, row.at, row.rating) for row in kept] == [
        ("u1", "i1", "1997-09-22 22:02:38", 4.0)
    ]
    assert str(kept[0].event_date) == "1997-09-22"
    assert kept[0].ingested_at is None


def test_event_without_rating_is_kept(spark: SparkSession, settings: Settings) -> None:
    judged = judge_rows(spark, settings, "interactions", [{**GOOD, "rating": None}])
    assert [row.rating for row in judged.kept().collect()] == [None]


def test_of_equal_keys_one_stays_whatever_the_order(spark: SparkSession, settings: Settings) -> None:
    rows = [{**GOOD, "rating": str(rating)} for rating in (1, 2, 3)]
    kept = []
    for order in (rows, rows[::-1]):
        judged = judge_rows(spark, settings, "interactions", order)
        kept.append([row.rating for row in judged.kept().collect()])
        assert [row.reason for row in judged.df.where("reason is not null").collect()] == ["duplicate key"] * 2
    assert kept[0] == kept[1]
    assert len(kept[0]) == 1


def test_bad_row_does_not_push_out_the_good_one_of_its_key(spark: SparkSession, settings: Settings) -> None:
    judged = judge_rows(spark, settings, "interactions", [{**GOOD, "rating": "x"}, GOOD])
    assert [row.rating for row in judged.kept().collect()] == [4.0]


def test_edge_of_an_unknown_item_is_quarantined(spark: SparkSession, settings: Settings) -> None:
    edge = {"head_item_id": "i1", "relation": "directed_by", "tail_id": "m.1"}
    judged = judge_rows(spark, settings, "item_relations", [edge, {**edge, "head_item_id": "i9"}])
    assert [row.head_item_id for row in judged.kept().collect()] == ["i1"]
    assert [row.reason for row in judged.df.where("reason is not null").collect()] == ["unknown item"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("874965758", "1997-09-22 22:02:38"),
        ("874965758000", "1997-09-22 22:02:38"),
        ("874965758000000", "1997-09-22 22:02:38"),
        ("874965758.5", "1997-09-22 22:02:38.5"),
        ("1997-09-22", "1997-09-22 00:00:00"),
        ("1997-09-22T22:02:38Z", "1997-09-22 22:02:38"),
        ("1997-09-22 22:02:38+02:00", "1997-09-22 20:02:38"),
        ("1e300", None),
        ("", None),
    ],
)
def test_times_are_read_in_seconds_milliseconds_microseconds_and_iso(
    spark: SparkSession, text: str, expected: str | None
) -> None:
    frame = spark.createDataFrame([(text,)], "time string")
    assert frame.select(read_time("time").cast("string")).collect()[0][0] == expected


def test_raw_table_fills_the_columns_that_a_source_lacks(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("u1",)], "user_id string")
    raw = raw_table("interactions", frame, "test", Path("folder/file.csv"))
    assert raw.df.columns == list(RAW_COLUMNS["interactions"])
    assert raw.source == "test:folder/file.csv"
