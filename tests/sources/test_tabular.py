"""Parquet, CSV and JSON Lines with a mapping give the same raw rows; wrong files and mappings say why."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import json as pa_json
from pyarrow import parquet
from pyspark.sql import SparkSession

from recthinker.errors import SourceError
from recthinker.sources.tabular import open_tabular

EVENTS = "uid,sku,at,rating\n007,a1,2024-03-01 10:00:00,4\n008,a2,2024-03-02 11:00:00,\n"
JSON_EVENTS = (
    '{"uid": "007", "sku": "a1", "at": "2024-03-01 10:00:00", "rating": 4}\n'
    '{"uid": "008", "sku": "a2", "at": "2024-03-02 11:00:00"}\n'
)
MAPPING = {"user_id": "uid", "item_id": "sku", "event_time": "at"}


def event_file(folder: Path, kind: str) -> Path:
    """The two events as a file of that kind."""
    path = folder / f"events.{kind}"
    if kind == "parquet":
        lines = folder / "lines"
        lines.write_text(JSON_EVENTS)
        parquet.write_table(pa_json.read_json(lines), path)
    else:
        text = JSON_EVENTS if kind == "jsonl" else EVENTS.replace(",", "\t" if kind == "tsv" else ",")
        path.write_text(text)
    return path


@pytest.mark.spark
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_kinds_give_the_same_events(spark: SparkSession, tmp_path: Path, kind: str) -> None:
    (table,) = open_tabular(event_file(tmp_path, kind), mapping=MAPPING).read(spark)
    rows = [(r.user_id, r.item_id, r.event_time, r.event_type, r.rating) for r in table.df.collect()]
    assert rows == [
        ("007", "a1", "2024-03-01 10:00:00", "rating", "4"),
        ("008", "a2", "2024-03-02 11:00:00", "rating", None),
    ]


@pytest.mark.spark
def test_items_and_users_keep_other_columns_as_attributes(spark: SparkSession, tmp_path: Path) -> None:
    events, items, users = (tmp_path / name for name in ("events.csv", "items.parquet", "users.csv"))
    events.write_text(EVENTS)
    catalogue = {
        "sku": ["a1"],
        "title": ["Tea"],
        "categories": [["Drinks", "Hot"]],
        "price": [2.5],
        "brand": [None],
    }
    parquet.write_table(pa.table({**catalogue, "brand": pa.array([None], pa.string())}), items)
    users.write_text("uid,country\n007,UK\n")
    raw = {t.table: t.df.collect() for t in open_tabular(events, items=items, users=users, mapping=MAPPING).read(spark)}
    (item,) = raw["items"]
    assert (item.item_id, item.title, item.categories) == ("a1", "Tea", ["Drinks", "Hot"])
    assert item.attributes == {"price": "2.5"}
    assert [(u.user_id, u.attributes) for u in raw["users"]] == [("007", {"country": "UK"})]


@pytest.mark.spark
def test_categories_in_one_text_are_split(spark: SparkSession, tmp_path: Path) -> None:
    events, items = tmp_path / "events.csv", tmp_path / "items.csv"
    events.write_text(EVENTS)
    items.write_text("sku,categories\na1,Drinks|Hot\na2,\n")
    source = open_tabular(events, items=items, mapping=MAPPING)
    raw = {table.table: table.df.collect() for table in source.read(spark)}
    assert [row.categories for row in raw["items"]] == [["Drinks", "Hot"], []]


@pytest.mark.spark
def test_csv_whose_header_holds_tabs_is_split_at_tabs(spark: SparkSession, tmp_path: Path) -> None:
    events = tmp_path / "events.csv.gz"
    events.write_bytes(gzip.compress(b"uid\tsku\tat\n007\ta,1\t965779200\n"))
    (table,) = open_tabular(events, mapping=MAPPING).read(spark)
    assert [(r.user_id, r.item_id, r.event_time) for r in table.df.collect()] == [("007", "a,1", "965779200")]


@pytest.mark.spark
def test_event_types_are_taken_as_they_are_or_named_for_all(spark: SparkSession, tmp_path: Path) -> None:
    typed, bare = tmp_path / "typed.csv", tmp_path / "bare.csv"
    kinds = ["view", "cart", "purchase", "rating", "impression", "wishlist"]
    typed.write_text("user_id,item_id,event_time,event_type\n" + "".join(f"u,i,2024-03-01,{kind}\n" for kind in kinds))
    bare.write_text("user_id,item_id,event_time,rating\nu,i,2024-03-01,5\n")
    assert [row.event_type for row in open_tabular(typed).read(spark)[0].df.collect()] == kinds
    assert [row.event_type for row in open_tabular(bare, event_type="cart").read(spark)[0].df.collect()] == ["cart"]
    with pytest.raises(SourceError, match=r"typed\.csv has a column event_type, so --event-type cart would hide it"):
        open_tabular(typed, event_type="cart").read(spark)


@pytest.mark.spark
def test_missing_columns_and_wrong_mappings_are_told(spark: SparkSession, tmp_path: Path) -> None:
    events = event_file(tmp_path, "csv")
    with pytest.raises(SourceError, match="lacks the columns user_id, event_time; columns there: uid"):
        open_tabular(events, mapping={"item_id": "sku"}).read(spark)
    with pytest.raises(SourceError, match="names columns that no file has: product"):
        open_tabular(events, mapping={**MAPPING, "item_id": "product"}).read(spark)


def test_files_are_checked_before_spark(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not found"):
        open_tabular(tmp_path / "none.csv")
    with pytest.raises(SourceError, match="holds no Parquet files"):
        open_tabular(tmp_path)
    (tmp_path / "x.parquet").write_text("hello")
    with pytest.raises(SourceError, match=r"x\.parquet cannot be read as Parquet"):
        open_tabular(tmp_path / "x.parquet")
    (tmp_path / "events.xlsx").write_text("x")
    with pytest.raises(SourceError, match=r"of no known kind; known endings: \.parquet, \.csv"):
        open_tabular(tmp_path / "events.xlsx")
    with pytest.raises(SourceError, match=r"no table has the columns when; valid: .*event_time"):
        open_tabular(event_file(tmp_path, "csv"), mapping={"when": "at"})
