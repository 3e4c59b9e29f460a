"""Table `user_profile`: a user in one row."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from recthinker.features.aggregates import attributes_or_empty, mean_rating
from recthinker.settings import FeatureSettings


def user_profile(user_state: DataFrame, users: DataFrame, *, ds: str, settings: FeatureSettings) -> DataFrame:
    """Rows of `user_profile`, one for each user with an event; users without one have no row.

    `top_categories` are those that most of the user's events carry, most frequent first, ties by seeded hash.

    Args:
        user_state: rows of `user_state` of `ds`.
        users: rows of `users`; a user who is missing there gets empty attributes.
        ds: logical date, stamped on each row.
        settings: uses `profile_top_categories` and `seed`.
    """
    return user_state.join(users, "user_id", "left").select(
        F.lit(ds).alias("ds"),
        "user_id",
        attributes_or_empty("attributes"),
        F.col("events").alias("interaction_count"),
        "first_time",
        "last_time",
        _top_categories(settings).alias("top_categories"),
        mean_rating(),
    )


def _top_categories(settings: FeatureSettings) -> Column:
    counted = F.transform(
        F.map_entries("category_counts"),
        lambda entry: F.struct(
            entry.value.alias("n"),
            F.xxhash64(F.lit(settings.seed), F.col("user_id"), entry.key).alias("tie"),
            entry.key.alias("category"),
        ),
    )
    most = F.slice(F.sort_array(counted, asc=False), 1, settings.profile_top_categories)
    return F.transform(most, lambda entry: entry.category)
