"""From a source's scores to its ranked offer for each user, without what the user already has."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def tie_break(seed: int) -> Column:
    """A number fixed by `seed`, user and item, and otherwise without meaning (xxHash64)."""
    return F.xxhash64(F.lit(seed), "user_id", "item_id")


def offer(source: str, scored: DataFrame, owned: DataFrame, *, n: int, seed: int) -> DataFrame:
    """The `n` best items of a source for each user, none that the user has.

    Args:
        source: name that is recorded.
        scored: user_id, item_id, score (higher is better); each pair once.
        owned: user_id, item_id of what users have.
        n: items per user, at most.
        seed: seed of the hash that breaks ties.

    Returns:
        user_id, item_id, source, rank (1 = best).
    """
    best_first = Window.partitionBy("user_id").orderBy(F.desc("score"), tie_break(seed))
    return (
        scored.join(owned, ["user_id", "item_id"], "left_anti")
        .withColumn("rank", F.row_number().over(best_first))
        .where(F.col("rank") <= n)
        .select("user_id", "item_id", F.lit(source).alias("source"), "rank")
    )
