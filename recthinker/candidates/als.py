"""Candidate source `als`: implicit-feedback matrix factorization.

Source: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008, as in Spark
ML's ALS.
"""

from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from recthinker.settings import AlsSettings


def als_scores(interactions: DataFrame, settings: AlsSettings, *, n: int, seed: int) -> DataFrame:
    """Each user's `n` items of highest predicted preference, those of the user among them.

    The preference for an item has the confidence 1 + alpha * (events of the user with the item).

    Args:
        interactions: the interactions known before the end of the date; at least one.
        settings: the factorization.
        n: items per user; more than are wanted, since many of them the user has.
        seed: seed of the first factors.

    Returns:
        user_id, item_id, score.
    """
    counts = interactions.groupBy("user_id", "item_id").agg(F.count("*").cast("float").alias("events"))
    users, items = _numbered(counts, "user_id"), _numbered(counts, "item_id")
    ratings = counts.join(F.broadcast(users), "user_id").join(F.broadcast(items), "item_id")
    # ALS adds floats in the order that rows arrive in: placed and sorted by id, they arrive alike in every
    # run.
    ratings = (
        ratings.select("user_id_number", "item_id_number", "events")
        .repartition(settings.blocks, "user_id_number")
        .sortWithinPartitions("user_id_number", "item_id_number")
    )
    model = ALS(
        rank=settings.rank,
        maxIter=settings.iterations,
        regParam=settings.regularization,
        alpha=settings.alpha,
        numUserBlocks=settings.blocks,
        numItemBlocks=settings.blocks,
        implicitPrefs=True,
        userCol="user_id_number",
        itemCol="item_id_number",
        ratingCol="events",
        seed=seed,
    ).fit(ratings)
    best = model.recommendForAllUsers(n).select("user_id_number", F.inline("recommendations"))
    return (
        best.join(F.broadcast(users), "user_id_number")
        .join(F.broadcast(items), "item_id_number")
        .select("user_id", "item_id", F.col("rating").cast("double").alias("score"))
    )


def _numbered(counts: DataFrame, column: str) -> DataFrame:
    """The distinct ids of `column` with `<column>_number`, 1 to their count, as ALS wants whole numbers."""
    ids = counts.select(column).distinct()
    # One partition on purpose: there are far fewer ids than events.
    return ids.withColumn(f"{column}_number", F.row_number().over(Window.orderBy(column)))
