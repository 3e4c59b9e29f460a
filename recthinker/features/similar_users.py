"""Table `similar_users`: users with the most similar sets of items."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from recthinker.features.order import numbered, tie_break
from recthinker.settings import FeatureSettings


def similar_users(interactions: DataFrame, *, ds: str, settings: FeatureSettings) -> DataFrame:
    """Rows of `similar_users`: a user's `similar_top_k` most similar users, ties by seeded hash.

    similarity = shared items / sqrt(items of both), the cosine of the two sets. An item shared by more than
    `similar_max_users_per_item` users links only a seeded sample of that many, which bounds the work and can
    only lower a similarity. A user who is linked to nobody has no row.

    Args:
        interactions: the interactions known before the end of `ds`.
        ds: logical date, stamped on each row.
        settings: uses the `similar_*` fields and `seed`.
    """
    owned = interactions.select("user_id", "item_id").distinct()
    users = numbered(owned.groupBy("user_id").agg(F.count("*").alias("n")), "user_id")
    shared = shared_items(linking_users(owned, settings).join(F.broadcast(users), "user_id"))
    neighbour = F.struct(F.col("neighbour_id").alias("user_id"), "similarity")
    strength = F.struct("similarity", tie_break(settings.seed, "user_id", "neighbour_id"))
    most_similar = F.max_by(neighbour, strength, settings.similar_top_k)
    return (
        _both_ways(_with_similarity(shared, users))
        .groupBy("user_id")
        .agg(most_similar.alias("neighbours"))
        .select(F.lit(ds).alias("ds"), "user_id", "neighbours")
    )


def linking_users(owned: DataFrame, settings: FeatureSettings) -> DataFrame:
    """`owned` (user_id, item_id; distinct), at most `similar_max_users_per_item` users an item, by hash."""
    sample = Window.partitionBy("item_id").orderBy(tie_break(settings.seed, "user_id", "item_id"))
    place = F.row_number().over(sample)
    return owned.withColumn("place", place).where(F.col("place") <= settings.similar_max_users_per_item).drop("place")


def shared_items(links: DataFrame) -> DataFrame:
    """Pairs of users, each once (low < high): low, high, shared.

    Args:
        links: item_id and the `number` of a user who has it.
    """
    left = links.select("item_id", F.col("number").alias("low"))
    right = links.select("item_id", F.col("number").alias("high"))
    pairs = left.join(right, "item_id").where(F.col("low") < F.col("high"))
    return pairs.groupBy("low", "high").agg(F.count("*").alias("shared"))


def capped_links(interactions: DataFrame, settings: FeatureSettings) -> DataFrame:
    """What the cap on users per item does, in one row: `items` over it, `links` in all, `dropped` of them."""
    users = interactions.groupBy("item_id").agg(F.count_distinct("user_id").alias("users"))
    over = F.greatest(F.col("users") - settings.similar_max_users_per_item, F.lit(0))
    return users.agg(F.count_if(over > 0).alias("items"), F.sum("users").alias("links"), F.sum(over).alias("dropped"))


def _with_similarity(shared: DataFrame, users: DataFrame) -> DataFrame:
    """`shared` with the users' ids and their similarity."""
    low = users.select(F.col("number").alias("low"), F.col("user_id").alias("low_id"), F.col("n").alias("n_low"))
    high = users.select(F.col("number").alias("high"), F.col("user_id").alias("high_id"), F.col("n").alias("n_high"))
    product = F.col("n_low").cast("double") * F.col("n_high")
    return (
        shared.join(F.broadcast(low), "low")
        .join(F.broadcast(high), "high")
        .withColumn("similarity", F.col("shared") / F.sqrt(product))
    )


def _both_ways(pairs: DataFrame) -> DataFrame:
    """Each pair as two directed edges."""
    return pairs.select(F.inline(F.array(_edge("low_id", "high_id"), _edge("high_id", "low_id"))))


def _edge(user: str, neighbour: str) -> Column:
    return F.struct(F.col(user).alias("user_id"), F.col(neighbour).alias("neighbour_id"), "similarity")
