"""Raw rows into kept rows, in the contract's types, and quarantined rows, whole, each with the first rule it
broke.

Rules, in order: ids there; time readable and within the years allowed; rating a number within the range
allowed; item known; one row a key (of several, the one with the smallest hash of its content stays, whatever
the order of reading).
"""

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from recthinker.settings import IngestSettings
from recthinker.sources.raw import RAW_COLUMNS, RawTable
from recthinker.sources.records import UNKNOWN_ITEM
from recthinker.tables.schemas import QUARANTINE, TABLES, Table
from recthinker.tables.spark import spark_schema

IDS = {
    "interactions": ("user_id", "item_id"),
    "items": ("item_id",),
    "users": ("user_id",),
    "item_relations": ("head_item_id", "relation", "tail_id"),
}
ITEM_REFERENCE = {"interactions": "item_id", "item_relations": "head_item_id"}
"""Columns that must name a known item."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A raw table with a verdict on every row."""

    table: Table
    df: DataFrame
    """Contract columns (null where unreadable), `reason` (null: kept), `row_json` (null: kept)."""
    source: str

    def persist(self) -> "Judged":
        """The same, computed once and kept until `df.unpersist()`."""
        return Judged(self.table, self.df.persist(), self.source)

    def kept(self) -> DataFrame:
        """The rows that broke no rule, as the landing table wants them."""
        fields = spark_schema(self.table).fields
        columns = [F.col(f.name).cast(f.dataType).alias(f.name) for f in fields]
        return self.df.where(F.col("reason").isNull()).select(*columns)

    def quarantined(self, now: datetime) -> DataFrame:
        """The other rows, as `quarantine` wants them."""
        values = {
            "table": F.lit(self.table.name),
            "source": F.lit(self.source),
            "ingested_at": F.lit(now),
        }
        rows = self.df.where(F.col("reason").isNotNull()).withColumns(values)
        return rows.select(*QUARANTINE.column_names)


def judge(raw: RawTable, rules: IngestSettings, known_items: DataFrame | None) -> Judged:
    """A verdict on every row of `raw`.

    Args:
        raw: rows as read.
        rules: years and ratings that are allowed.
        known_items: column item_id, distinct; None: every item counts as known.
    """
    df = raw.df.withColumn("row_json", F.to_json(F.struct(*RAW_COLUMNS[raw.table])))
    df = _readable(raw, df)
    rules_in_order = _id_rules(raw.table)
    if raw.table == "interactions":
        rules_in_order += _event_rules(rules)
    reference = ITEM_REFERENCE.get(raw.table)
    if reference and known_items is not None:
        known = known_items.select(F.col("item_id").alias(reference), F.lit(True).alias("is_known"))
        df = df.join(known, reference, how="left")
        rules_in_order.append((UNKNOWN_ITEM, F.col("is_known").isNull()))
    df = df.withColumn("reason", F.coalesce(*(F.when(broken, F.lit(name)) for name, broken in rules_in_order)))
    table = TABLES[raw.table]
    df = _one_a_key(table, df)
    refused_json = F.when(F.col("reason").isNotNull(), F.col("row_json")).alias("row_json")
    return Judged(table, df.select(*table.column_names, "reason", refused_json), raw.source)


def _readable(raw: RawTable, df: DataFrame) -> DataFrame:
    """The raw strings as the contract's types; what cannot be read becomes null."""
    texts = (*IDS[raw.table], *(name for name in ("title", "event_type") if name in df.columns))
    df = df.withColumns({name: _not_blank(F.col(name)) for name in texts})
    empty = {"categories": F.array().cast("array<string>"), "attributes": _no_attributes()}
    df = df.withColumns({name: F.coalesce(name, none) for name, none in empty.items() if name in df.columns})
    if raw.table == "interactions":
        times = {"raw_rating": F.col("rating"), "event_time": read_time("event_time")}
        df = df.withColumns({**times, "ingested_at": read_time("ingested_at")})
        values = {"rating": F.col("rating").try_cast("double"), "event_date": F.to_date("event_time")}
        return df.withColumns({**values, "source": F.lit(raw.source)})
    return df


def read_time(name: str) -> Column:
    """A column of text as a UTC timestamp, null where it is none.

    A number is Unix seconds; from 1e11 on (the year 5138) it can only mean milliseconds, from 1e14 on
    microseconds.
    """
    number = F.col(name).try_cast("double")
    magnitude = F.abs(number)
    seconds = F.when(magnitude < 1e11, number).when(magnitude < 1e14, number / 1e3).otherwise(number / 1e6)
    return F.when(number.isNotNull(), F.timestamp_micros((seconds * 1e6).try_cast("long"))).otherwise(
        F.col(name).try_cast("timestamp")
    )


def _no_attributes() -> Column:
    return F.create_map().cast("map<string,string>")


def _not_blank(text: Column) -> Column:
    trimmed = F.trim(text)
    return F.when(trimmed != "", trimmed)


def _id_rules(table: str) -> list[tuple[str, Column]]:
    return [(f"no {name}", F.col(name).isNull()) for name in IDS[table]]


def _event_rules(rules: IngestSettings) -> list[tuple[str, Column]]:
    year = F.year("event_time")
    rating, given = F.col("rating"), F.col("raw_rating").isNotNull()
    allowed_rating = rating.between(rules.rating_min, rules.rating_max)
    return [
        ("no readable event_time", F.col("event_time").isNull()),
        (
            f"event_time outside {rules.earliest_year}..{rules.latest_year}",
            ~year.between(rules.earliest_year, rules.latest_year),
        ),
        ("no event_type", F.col("event_type").isNull()),
        ("rating is not a number", given & (rating.isNull() | F.isnan(rating))),
        (f"rating outside {rules.rating_min:g}..{rules.rating_max:g}", given & ~allowed_rating),
    ]


def _one_a_key(table: Table, df: DataFrame) -> DataFrame:
    """Of the good rows of one key, all but one get the reason `duplicate key`."""
    order = Window.partitionBy("reason", *table.key).orderBy(F.xxhash64("row_json"), "row_json")
    df = df.withColumn("nth", F.row_number().over(order))
    again = F.col("reason").isNull() & (F.col("nth") > 1)
    return df.withColumn("reason", F.when(again, F.lit("duplicate key")).otherwise(F.col("reason")))
