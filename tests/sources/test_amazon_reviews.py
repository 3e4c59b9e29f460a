"""Amazon Reviews 2023: made-up lines in the real shape; fields that are null, missing or of another type."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from recthinker.errors import SourceError
from recthinker.sources.amazon_reviews import open_amazon_reviews
from recthinker.sources.validation import read_time

REVIEW = {
    "rating": 5.0,
    "title": "Such a lovely scent",
    "text": "This spray is really nice.",
    "images": [{"small_image_url": "https://example.org/s.jpg", "attachment_type": "IMAGE"}],
    "asin": "B00YQ6X8EO",
    "parent_asin": "B00YQ6X8EP",
    "user_id": "AGKHLEW2SOWHNMFQIJGBECAF7INQ",
    "timestamp": 1588687728923,
    "helpful_vote": 0,
    "verified_purchase": True,
}
PRODUCT = {
    "main_category": "All Beauty",
    "title": "Herbivore Sea Mist",
    "average_rating": 4.3,
    "rating_number": 384,
    "features": ["Vegan"],
    "description": ["A spray.", "", "With coconut water."],
    "price": 19.99,
    "images": [{"thumb": "https://example.org/t.jpg", "variant": "MAIN", "hi_res": None}],
    "videos": [],
    "store": "Herbivore",
    "categories": ["Beauty", "Hair Care"],
    "details": {"Brand": "Herbivore", "Item Weight": "8 Ounces", "Best Sellers Rank": {"Beauty": 3}},
    "parent_asin": "B00YQ6X8EP",
    "bought_together": ["B00YQ6X8EP", "B000000002", "B000000003", "B000000003"],
}
BARE = {
    **{"main_category": "Premium Beauty", "title": "Soap", "price": "None", "store": None, "categories": []},
    **{"description": [], "details": {}, "parent_asin": "B000000002", "bought_together": None},
}
NULLS = {"title": None, "main_category": None, "price": None, "parent_asin": "B000000004"}


def write(path: Path, lines: list[Any]) -> Path:
    """JSON Lines, compressed where the name says so."""
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.spark
def test_reviews_are_ratings_of_the_parent(spark: SparkSession, tmp_path: Path) -> None:
    reviews = write(tmp_path / "reviews.jsonl.gz", [REVIEW, {"user_id": "u2", "parent_asin": "p", "timestamp": None}])
    (table,) = open_amazon_reviews(reviews).read(spark)
    assert table.source == f"amazon_reviews:{tmp_path.name}/reviews.jsonl.gz"
    first, second = table.df.withColumn("at", read_time("event_time").cast("string")).collect()
    assert (first.user_id, first.item_id) == ("AGKHLEW2SOWHNMFQIJGBECAF7INQ", "B00YQ6X8EP")
    # 1588687728 seconds and 923 ms.
    assert (first.event_type, first.rating, first.at) == ("rating", "5.0", "2020-05-05 14:08:48.923")
    assert (second.user_id, second.rating, second.event_time) == ("u2", None, None)


@pytest.mark.spark
def test_items_leave_out_what_knows_the_future(spark: SparkSession, tmp_path: Path) -> None:
    reviews = write(tmp_path / "reviews.jsonl", [REVIEW])
    products = write(tmp_path / "meta.jsonl", [PRODUCT, BARE, NULLS])
    raw = {table.table: table.df for table in open_amazon_reviews(reviews, items=products).read(spark)}
    full, bare, nulls = raw["items"].collect()
    assert (full.item_id, full.title) == ("B00YQ6X8EP", "Herbivore Sea Mist")
    assert full.description == "A spray.\nWith coconut water."
    assert full.categories == ["Beauty", "Hair Care"]
    assert full.attributes == {"store": "Herbivore", "price": "19.99", "brand": "Herbivore"}
    assert (bare.categories, bare.attributes, bare.description) == (["Premium Beauty"], {}, None)
    assert (nulls.title, nulls.categories, nulls.attributes, nulls.description) == (None, [], {}, None)
    edges = {(row.head_item_id, row.relation, row.tail_id, row.tail_item_id) for row in raw["item_relations"].collect()}
    assert edges == {
        ("B00YQ6X8EP", "bought_together", "B000000002", "B000000002"),
        ("B00YQ6X8EP", "bought_together", "B000000003", None),
    }


@pytest.mark.spark
def test_line_that_is_no_json_becomes_a_row_without_ids(spark: SparkSession, tmp_path: Path) -> None:
    reviews = write(tmp_path / "reviews.jsonl", [REVIEW])
    with reviews.open("a") as lines:
        lines.write('{"user_id": "cut sh\n')
    (table,) = open_amazon_reviews(reviews).read(spark)
    assert [row.user_id for row in table.df.collect()] == [REVIEW["user_id"], None]


def test_wrong_files_are_told_before_spark(tmp_path: Path) -> None:
    products = write(tmp_path / "meta.jsonl", [PRODUCT])
    with pytest.raises(SourceError, match=r"meta\.jsonl lacks the columns user_id, timestamp; columns there: main_cat"):
        open_amazon_reviews(products)
    (tmp_path / "reviews.csv").write_text("user_id,item_id\n")
    with pytest.raises(SourceError, match=r"should hold a JSON object a line .*, found 'user_id,item_id'"):
        open_amazon_reviews(tmp_path / "reviews.csv")
    with pytest.raises(SourceError, match=r"none\.jsonl not found; in .*: meta\.jsonl, reviews\.csv"):
        open_amazon_reviews(tmp_path / "none.jsonl")
