"""Candidate source `als`: implicit-feedback matrix factorization.

Source: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets, ICDM 2008, as in Spark
ML's ALS.
"""

from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from recthinker.settings import AlsSettings


def als_scores(owned: DataFrame, settings: AlsSettings, *, n: int, seed: int) -> DataFrame:
    """Each user's `n` items of highest predicted preference, those of the user among them.

    The preference for an item has the confidence 1 + alpha * (weight of the user's events with the item).

    Args:
        owned: user_id, item_id, weight (above 0); each pair once, at least one.
        settings: the factorization.
        n: items per user; more than are wanted, since many of them the user has.
        seed: seed of the first factors.

    Returns:
        user_id, item_id, score.
    """
    users, items = _numbered(owned, "user_id"), _numbered(owned, "item_id")
    ratings = owned.join(F.broadcast(users), "user_id").join(F.broadcast(items), "item_id")
    # ALS adds floats in the order that rows arrive in: placed and sorted by id, they arrive alike in every
    # run.
    ratings = (
        ratings.select("user_id_number", "item_id_number", F.col("weight").cast("float").alias("weight"))
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
        ratingCol="weight",
        seed=seed,
    ).fit(ratings)
    best = model.recommendForAllUsers(n).select("user_id_number", F.inline("recommendations"))
    return (
        best.join(F.broadcast(users), "user_id_number")
        .join(F.broadcast(items), "item_id_number")
        .select("user_id", "item_id", F.col("rating").cast("double").alias("score"))
    )


def _numbered(owned: DataFrame, column: str) -> DataFrame:
    """The distinct ids of `column` with `<column>_number`, 1 to their count, as ALS wants whole numbers."""
    ids = owned.select(column).distinct()
    # One partition on purpose: there are far fewer ids than events.
    return ids.withColumn(f"{column}_number", F.row_number().over(Window.orderBy(column)))
