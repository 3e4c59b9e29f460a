"""Candidate source `popularity`: the most popular items that the user does not have. It covers every user."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def popularity_scores(pairs: DataFrame, item_metadata: DataFrame, *, n: int) -> DataFrame:
    """For each user enough of the most popular items that at least `n` are left without those of the user.

    A user with h items gets the first n + h of the catalogue: together n a user plus the interactions, never
    users times items.

    Args:
        pairs: user_id, item_id, weight; each pair once. A user has the items of a weight above 0.
        item_metadata: rows of `item_metadata` of one date; unseen items come last there.
        n: items per user that must be left, where the catalogue has as many.

    Returns:
        user_id, item_id, score (minus the rank by popularity).
    """
    depths = pairs.groupBy("user_id").agg((F.count_if(F.col("weight") > 0) + n).cast("int").alias("depth"))
    ranks = depths.select("user_id", F.explode(F.sequence(F.lit(1), "depth")).alias("popularity_rank"))
    items = item_metadata.select("item_id", "popularity_rank")
    return ranks.join(F.broadcast(items), "popularity_rank").select(
        "user_id", "item_id", (-F.col("popularity_rank")).cast("double").alias("score")
    )
