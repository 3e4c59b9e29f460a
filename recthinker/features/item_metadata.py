"""Table `item_metadata`: an item in one row."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from recthinker.features.aggregates import attributes_or_empty, mean_rating, strings_or_empty
from recthinker.features.order import tie_break
from recthinker.settings import FeatureSettings


def item_metadata(item_state: DataFrame, items: DataFrame, *, ds: str, settings: FeatureSettings) -> DataFrame:
    """Rows of `item_metadata`, one for each item of the catalogue or of a known event.

    An item that only events name gets its id as title and no categories or attributes. `popularity_rank` is 1
    for the item with most events, without gaps; ties (also among unseen items) by seeded hash.

    Args:
        item_state: rows of `item_state` of `ds`.
        items: rows of `items`.
        ds: logical date, stamped on each row.
        settings: uses `seed`.
    """
    counts = item_state.select("item_id", "events", "rating_count", "rating_total")
    rows = items.join(counts, "item_id", "full").withColumn("popularity", F.coalesce("events", F.lit(0).cast("long")))
    # One partition on purpose: a rank over the whole catalogue, whose size is that of the items, not of the
    # events.
    by_popularity = Window.orderBy(F.desc("popularity"), tie_break(settings.seed, "item_id"))
    return rows.select(
        F.lit(ds).alias("ds"),
        "item_id",
        F.coalesce("title", "item_id").alias("title"),
        strings_or_empty("categories"),
        attributes_or_empty("attributes"),
        "popularity",
        F.row_number().over(by_popularity).alias("popularity_rank"),
        mean_rating(),
    )
