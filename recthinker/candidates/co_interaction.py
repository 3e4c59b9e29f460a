"""Candidate source `co_interaction`: neighbours of the items in the user's history."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

COSINE_UNIT = 2.0**-40
"""Cosines are added as whole multiples of this: sums of integers do not depend on the order of terms."""


def co_interaction_scores(user_history: DataFrame, co_interaction: DataFrame, *, neighbours: int) -> DataFrame:
    """Each user's neighbours: score = sum of the cosines to the items of the user's history.

    Args:
        user_history: rows of `user_history` of one date; its length bounds the work for a user.
        co_interaction: rows of `co_interaction` of the same date.
        neighbours: strongest neighbours of each item of the history that count.

    Returns:
        user_id, item_id, score; an item that comes up twice in a history counts twice.
    """
    history = user_history.select("user_id", F.explode("events.item_id").alias("item_id"))
    strongest = F.transform(
        F.slice("neighbours", 1, neighbours),
        lambda n: F.struct(n.item_id.alias("item_id"), F.round(n.cosine / COSINE_UNIT).cast("long").alias("units")),
    )
    lists = co_interaction.select("item_id", strongest.alias("neighbours"))
    return (
        history.join(lists, "item_id")
        .select("user_id", F.inline("neighbours"))
        .groupBy("user_id", "item_id")
        .agg((F.sum("units") * COSINE_UNIT).alias("score"))
    )
