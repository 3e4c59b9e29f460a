"""Table `item_state`: an item's sums and newest users, from the events, or from an earlier state and newer events."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from recthinker.features.events import newest
from recthinker.features.similar_users import user_hash
from recthinker.features.user_state import RATING_TOTAL, or_no_rating, rating_sums
from recthinker.settings import FeatureSettings

SUMMED = ("events", "paired", "rating_count", "rating_total", "recent_users")


def item_state(events: DataFrame, *, before: DataFrame | None, ds: str, settings: FeatureSettings) -> DataFrame:
    """Rows of `item_state`: all items that any event known before the end of `ds` names.

    Args:
        events: as of `as_events`: all that are known before the end of `ds`, or those that `before` does not know.
        before: rows of `item_state` of an earlier date, all of them; None: `events` are all there are.
        ds: logical date, stamped on each row.
        settings: uses `similar_users_per_item`.
    """
    m = settings.similar_users_per_item
    users = newest(events.where("weight > 0"), "item_id", user_hash(), m, name="recent_users")
    sums = events.groupBy("item_id").agg(
        F.count(F.lit(1)).alias("events"), F.count_if(F.col("weight") > 0).alias("paired"), *rating_sums()
    )
    new = sums.join(users, "item_id", "left")
    known = new.limit(0).withColumn("number", F.lit(None).cast("int")) if before is None else before
    old = known.select("item_id", "number", *(F.col(name).alias(f"old_{name}") for name in SUMMED))
    joined = old.join(new, "item_id", "full")
    zero, nobody = F.lit(0).cast("long"), F.array().cast("array<bigint>")

    def added(name: str) -> Column:
        return (F.coalesce(f"old_{name}", zero) + F.coalesce(name, zero)).alias(name)

    total = or_no_rating(F.col("old_rating_total")) + or_no_rating(F.col("rating_total"))
    both = F.concat(F.coalesce("old_recent_users", nobody), F.coalesce("recent_users", nobody))
    return _numbered(joined).select(
        F.lit(ds).alias("ds"),
        "item_id",
        "number",
        added("events"),
        added("paired"),
        added("rating_count"),
        total.cast(RATING_TOTAL).alias("rating_total"),
        F.when(F.size(both) > m, F.slice(both, -m, m)).otherwise(both).alias("recent_users"),
    )


def _numbered(items: DataFrame) -> DataFrame:
    """Items without a number get the next ones, by id. One partition on purpose: there are far fewer than events."""
    new_first = Window.orderBy(F.col("number").isNotNull(), "item_id")
    highest = items.agg(F.coalesce(F.max("number"), F.lit(-1)).alias("highest"))
    return (
        items.crossJoin(F.broadcast(highest))
        .withColumn("number", F.coalesce("number", F.col("highest") + F.row_number().over(new_first)).cast("int"))
        .drop("highest")
    )
