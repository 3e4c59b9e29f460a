"""Table `user_profile`: a user in one row."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.features.aggregates import attributes_or_empty, mean_rating, strings_or_empty
from recthinker.features.order import tie_break
from recthinker.settings import FeatureSettings


def user_profile(
    interactions: DataFrame, users: DataFrame, items: DataFrame, *, ds: str, settings: FeatureSettings
) -> DataFrame:
    """Rows of `user_profile`, one for each user with an event; users without one have no row.

    Args:
        interactions: the interactions known before the end of `ds`.
        users: rows of `users`; a user who is missing there gets empty attributes.
        items: rows of `items`, for the categories.
        ds: logical date, stamped on each row.
        settings: uses `profile_top_categories` and `seed`.
    """
    totals = interactions.groupBy("user_id").agg(
        F.count("*").alias("interaction_count"),
        F.min("event_time").alias("first_time"),
        F.max("event_time").alias("last_time"),
        mean_rating(),
    )
    rows = totals.join(users, "user_id", "left").join(top_categories(interactions, items, settings), "user_id", "left")
    return rows.select(
        F.lit(ds).alias("ds"),
        "user_id",
        attributes_or_empty("attributes"),
        "interaction_count",
        "first_time",
        "last_time",
        strings_or_empty("top_categories"),
        "mean_rating",
    )


def top_categories(interactions: DataFrame, items: DataFrame, settings: FeatureSettings) -> DataFrame:
    """The categories that most of a user's events carry, most frequent first, ties by seeded hash.

    Returns:
        user_id, top_categories; users whose items have no category are missing.
    """
    categories = items.select("item_id", F.explode("categories").alias("category"))
    counts = (
        interactions.join(F.broadcast(categories), "item_id")
        .groupBy("user_id", "category")
        .agg(F.count("*").alias("n"))
    )
    strength = F.struct("n", tie_break(settings.seed, "user_id", "category"))
    most = F.max_by("category", strength, settings.profile_top_categories)
    return counts.groupBy("user_id").agg(most.alias("top_categories"))
