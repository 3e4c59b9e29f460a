"""Table `user_state`: a user's sums and newest items, from the events, or from an earlier state and newer events."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from recthinker.features.events import newest
from recthinker.settings import FeatureSettings

RATING_TOTAL = "decimal(28,6)"


def user_state(
    events: DataFrame, items: DataFrame, *, before: DataFrame | None, ds: str, settings: FeatureSettings
) -> DataFrame:
    """Rows of `user_state` for the users of `events`.

    Args:
        events: as of `as_events`: all that are known before the end of `ds`, or those that `before` does not know.
        items: rows of `items`, for the categories.
        before: rows of `user_state` of an earlier date; None: `events` are all there are.
        ds: logical date, stamped on each row.
        settings: uses `co_window` and `similar_items`.
    """
    new = _summed(events, items, settings)
    rows = new if before is None else _added(new, before, _recent_length(settings))
    return rows.select(
        F.lit(ds).alias("ds"),
        "user_id",
        "events",
        "first_time",
        "last_time",
        "rating_count",
        "rating_total",
        "category_counts",
        "last_day",
        "recent",
    )


def _recent_length(settings: FeatureSettings) -> int:
    return max(settings.co_window, settings.similar_items)


def _summed(events: DataFrame, items: DataFrame, settings: FeatureSettings) -> DataFrame:
    sums = events.groupBy("user_id").agg(
        F.count(F.lit(1)).alias("events"),
        F.min("event_time").alias("first_time"),
        F.max("event_time").alias("last_time"),
        *rating_sums(),
        F.max(F.when(F.col("weight") > 0, F.col("known_day"))).alias("last_day"),
    )
    recent = newest(events.where("weight > 0"), "user_id", F.col("item_id"), _recent_length(settings), name="recent")
    return (
        sums.join(_category_counts(events, items), "user_id", "left")
        .join(recent, "user_id", "left")
        .withColumn("category_counts", F.coalesce("category_counts", F.create_map().cast("map<string,bigint>")))
        .withColumn("recent", F.coalesce("recent", F.array().cast("array<string>")))
    )


def rating_sums() -> tuple[Column, Column]:
    """`rating_count` and `rating_total`, a decimal: a sum of doubles would depend on the order of its terms."""
    total = or_no_rating(F.sum(F.col("rating").cast("decimal(18,6)")))
    return F.count("rating").alias("rating_count"), total.alias("rating_total")


def or_no_rating(total: Column) -> Column:
    """A sum of ratings, 0 where it is null."""
    return F.coalesce(total, F.lit(0)).cast(RATING_TOTAL)


def _category_counts(events: DataFrame, items: DataFrame) -> DataFrame:
    """user_id, category_counts. Events are counted by user and item first: categories multiply rows."""
    categories = items.select("item_id", F.explode("categories").alias("category"))
    return (
        events.groupBy("user_id", "item_id")
        .agg(F.count(F.lit(1)).alias("n"))
        .join(F.broadcast(categories), "item_id")
        .groupBy("user_id", "category")
        .agg(F.sum("n").alias("n"))
        .groupBy("user_id")
        .agg(F.map_from_entries(F.array_sort(F.collect_list(F.struct("category", "n")))).alias("category_counts"))
    )


def _added(new: DataFrame, before: DataFrame, recent_length: int) -> DataFrame:
    """`new` on top of what `before` says of the same users."""
    old = before.select("user_id", *(F.col(name).alias(f"old_{name}") for name in before.columns if name != "user_id"))
    joined = new.join(old, "user_id", "left")
    nothing = F.create_map().cast("map<string,bigint>")
    zero = F.lit(0).cast("long")
    return joined.select(
        "user_id",
        (F.col("events") + F.coalesce("old_events", zero)).alias("events"),
        F.least("first_time", "old_first_time").alias("first_time"),
        F.greatest("last_time", "old_last_time").alias("last_time"),
        (F.col("rating_count") + F.coalesce("old_rating_count", zero)).alias("rating_count"),
        (F.col("rating_total") + or_no_rating(F.col("old_rating_total"))).cast(RATING_TOTAL).alias("rating_total"),
        F.map_zip_with(
            F.coalesce("old_category_counts", nothing),
            "category_counts",
            lambda _, a, b: F.coalesce(a, zero) + F.coalesce(b, zero),
        ).alias("category_counts"),
        F.greatest("last_day", "old_last_day").alias("last_day"),
        _last(F.concat(F.coalesce("old_recent", F.array().cast("array<string>")), "recent"), recent_length).alias(
            "recent"
        ),
    )


def _last(items: Column, n: int) -> Column:
    return F.when(F.size(items) > n, F.slice(items, -n, n)).otherwise(items)
