"""Amazon Reviews 2023: a file of reviews and one of items (metadata), as JSON Lines.

An item is a `parent_asin`, which stands for all sizes and colours of a product. Not read: texts and pictures, and
`average_rating` and `rating_number`, which count reviews written after any date that features are built for.
Fields: amazon-reviews-2023.github.io.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from recthinker.errors import SourceError
from recthinker.sources.files import first_line, require_columns, require_file
from recthinker.sources.inputs import Input, file_input
from recthinker.sources.raw import Ingested, RawTable, attributes, raw_table

READER = "amazon_reviews"
REQUIRED = {"interactions": ("user_id", "parent_asin", "timestamp"), "items": ("parent_asin", "title")}
REVIEW = "user_id string, parent_asin string, timestamp string, rating string"
# `price` is a number, null or a text; `details` an object. As strings both are read whatever they are.
ITEM = (
    "parent_asin string, main_category string, title string, price string, store string, details string, "
    "description array<string>, categories array<string>, bought_together array<string>"
)
BOUGHT_TOGETHER = "bought_together"


@dataclass(frozen=True)
class AmazonReviews:
    """Files that are there and whose first line has the ids."""

    paths: dict[str, Path]
    """Landing table to file: interactions, and items where given."""
    name: str = field(default=READER, init=False)

    @property
    def options(self) -> dict[str, str]:
        """None."""
        return {}

    def inputs(self) -> list[Input]:
        """All files that are read."""
        return [file_input(table, path) for table, path in self.paths.items()]

    def read(self, spark: SparkSession, ingested: Sequence[Ingested] = ()) -> list[RawTable]:
        """The raw landing tables; a line that is no JSON becomes a row without ids."""
        reviews = self.paths["interactions"]
        tables = [raw_table("interactions", _events(spark.read.schema(REVIEW).json(str(reviews))), READER, reviews)]
        if "items" in self.paths:
            path = self.paths["items"]
            products = spark.read.schema(ITEM).json(str(path))
            tables.append(raw_table("items", _items(products), READER, path))
            tables.append(raw_table("item_relations", _relations(products), READER, path))
        return tables


def open_amazon_reviews(reviews: Path, *, items: Path | None = None) -> AmazonReviews:
    """Check that the files are there and are what they should be.

    Raises:
        SourceError: a file is missing or empty, its first line is no JSON object, or that lacks an id.
    """
    paths = {"interactions": reviews, **({"items": items} if items else {})}
    for table, path in paths.items():
        require_columns(require_file(path), _fields(path), REQUIRED[table])
    return AmazonReviews(paths)


def _fields(path: Path) -> list[str]:
    """The names in the first line."""
    line = first_line(path)
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise SourceError(f"file {path} should hold a JSON object a line (.jsonl or .jsonl.gz), found {line[:60]!r}")
    return list(found)


def _events(reviews: DataFrame) -> DataFrame:
    """`timestamp` is Unix milliseconds."""
    return reviews.select(
        "user_id",
        F.col("parent_asin").alias("item_id"),
        F.col("timestamp").alias("event_time"),
        F.lit("rating").alias("event_type"),
        "rating",
    )


def _items(products: DataFrame) -> DataFrame:
    """`main_category` is the category where `categories` is empty."""
    categories = _filled("categories")
    main = F.filter(F.array("main_category"), _is_filled)
    price = F.when(F.col("price").try_cast("double").isNotNull(), F.col("price"))
    others = {"store": F.col("store"), "price": price, "brand": F.get_json_object("details", "$.Brand")}
    return products.select(
        F.col("parent_asin").alias("item_id"),
        "title",
        F.nullif(F.array_join(_filled("description"), "\n"), F.lit("")).alias("description"),
        F.when(F.size(categories) > 0, categories).otherwise(main).alias("categories"),
        attributes(**others).alias("attributes"),
    )


def _relations(products: DataFrame) -> DataFrame:
    """An edge to each other product that is often bought together; the tail is an item where the file has it."""
    edges = products.select(
        F.col("parent_asin").alias("head_item_id"),
        F.explode(F.array_distinct(_filled(BOUGHT_TOGETHER))).alias("tail_id"),
    ).where(F.col("head_item_id") != F.col("tail_id"))
    tails = products.select(
        F.col("parent_asin").alias("tail_id"), F.col("parent_asin").alias("tail_item_id")
    ).distinct()
    return edges.join(tails, "tail_id", how="left").withColumn("relation", F.lit(BOUGHT_TOGETHER))


def _filled(column: str) -> Column:
    """An array without what is null or blank; empty where it is null."""
    return F.filter(F.coalesce(column, F.array().cast("array<string>")), _is_filled)


def _is_filled(text: Column) -> Column:
    return text.isNotNull() & (F.trim(text) != "")
