"""Table `co_interaction`: items that the same users interact with, close to each other in time.

Additive over events: an event adds its pairs with the user's previous `co_window` items and nothing else, so
a user of any length and an item of any popularity add bounded work, and the pairs of a date are the sum of
those of its days.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from recthinker.features.order import numbered, oldest_first, tie_break
from recthinker.settings import FeatureSettings

WEIGHT_UNIT = 2.0**-30
"""Weights are added as whole multiples of this: sums of integers do not depend on the order of terms."""


def co_interaction(interactions: DataFrame, *, ds: str, settings: FeatureSettings) -> DataFrame:
    """Rows of `co_interaction`: an item's `co_top_k` neighbours of highest cosine, ties by seeded hash.

    cosine = support / sqrt(n_a n_b) and lift = support N / (n_a n_b), with n the events of an item and N all
    events. An item without a neighbour of at least `co_min_support` has no row.

    Args:
        interactions: the interactions known before the end of `ds`.
        ds: logical date, stamped on each row.
        settings: uses the `co_*` fields and `seed`.
    """
    items = numbered(interactions.groupBy("item_id").agg(F.count("*").alias("n")), "item_id")
    pairs = pair_counts(interactions.join(F.broadcast(items), "item_id"), settings)
    edges = _both_ways(_with_strength(pairs.where(F.col("support") >= settings.co_min_support), items))
    neighbour = F.struct(F.col("neighbour_id").alias("item_id"), "support", "cosine", "lift", "next_weight")
    strength = F.struct("cosine", tie_break(settings.seed, "item_id", "neighbour_id"))
    strongest = F.max_by(neighbour, strength, settings.co_top_k)
    return (
        edges.groupBy("item_id")
        .agg(strongest.alias("neighbours"))
        .select(F.lit(ds).alias("ds"), "item_id", "neighbours")
    )


def pair_counts(events: DataFrame, settings: FeatureSettings) -> DataFrame:
    """Pairs of items, each once (low < high), with how often and how closely they follow each other.

    An event of item b, d events after one of item a with d <= `co_window`, adds 1 to the support of {a, b}
    and 2^-((d-1) / `co_half_life`) to the weight of a -> b; the same item twice makes no pair.

    Args:
        events: interactions with the `number` of their item.
        settings: uses `co_window`, `co_half_life` and `seed`.

    Returns:
        low, high (numbers of items), support, weight_up (low -> high) and weight_down (high -> low), both in
        `WEIGHT_UNIT`s.
    """
    window = oldest_first(settings.seed).rowsBetween(-settings.co_window, -1)
    pairs = (
        events.select("number", F.collect_list("number").over(window).alias("previous"))
        .select("number", F.size("previous").alias("n"), F.posexplode("previous").alias("index", "earlier"))
        .where(F.col("earlier") != F.col("number"))
    )
    # `previous` runs from the oldest to the newest: its last element is at distance 1.
    weight = F.get(_weights(settings), F.col("n") - F.col("index") - 1)
    is_up = F.col("earlier") < F.col("number")
    return (
        pairs.select(
            F.least("earlier", "number").alias("low"),
            F.greatest("earlier", "number").alias("high"),
            F.when(is_up, weight).otherwise(0).alias("up"),
            F.when(is_up, 0).otherwise(weight).alias("down"),
        )
        .groupBy("low", "high")
        .agg(F.count("*").alias("support"), F.sum("up").alias("weight_up"), F.sum("down").alias("weight_down"))
    )


def _weights(settings: FeatureSettings) -> Column:
    """The weight of each distance 1, 2, ... `co_window`, in `WEIGHT_UNIT`s."""
    distances = range(1, settings.co_window + 1)
    return F.lit([round(2 ** ((1 - d) / settings.co_half_life) / WEIGHT_UNIT) for d in distances])


def _with_strength(pairs: DataFrame, items: DataFrame) -> DataFrame:
    """`pairs` with the items' ids, and with cosine and lift."""
    low = items.select(F.col("number").alias("low"), F.col("item_id").alias("low_id"), F.col("n").alias("n_low"))
    high = items.select(F.col("number").alias("high"), F.col("item_id").alias("high_id"), F.col("n").alias("n_high"))
    total = items.agg(F.sum("n").alias("n_all"))
    product = F.col("n_low").cast("double") * F.col("n_high")
    return (
        pairs.join(F.broadcast(low), "low")
        .join(F.broadcast(high), "high")
        .crossJoin(F.broadcast(total))
        .withColumn("cosine", F.col("support") / F.sqrt(product))
        .withColumn("lift", F.col("support") * F.col("n_all") / product)
    )


def _both_ways(pairs: DataFrame) -> DataFrame:
    """Each pair as two directed edges; `next_weight` is that of item -> neighbour."""
    up = _edge("low_id", "high_id", "weight_up")
    down = _edge("high_id", "low_id", "weight_down")
    return pairs.select(F.inline(F.array(up, down)))


def _edge(item: str, neighbour: str, weight: str) -> Column:
    return F.struct(
        F.col(item).alias("item_id"),
        F.col(neighbour).alias("neighbour_id"),
        "support",
        "cosine",
        "lift",
        (F.col(weight) * WEIGHT_UNIT).alias("next_weight"),
    )
