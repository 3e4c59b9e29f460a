"""The events as features take them: with the day they became known, their weight, and what breaks ties."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from recthinker.features.order import tie_break
from recthinker.features.weights import event_weight
from recthinker.settings import FeatureSettings

KNOWN_ORDER = ("known_day", "event_time", "tie")
"""The order in which events became known: an event that arrived late stands after all that were known before."""


def as_events(known: DataFrame, settings: FeatureSettings) -> DataFrame:
    """Interactions with their `known_day` as events: user_id, item_id, event_time, event_type, rating, known_day, tie,
    weight.
    """
    return known.select(
        "user_id",
        "item_id",
        "event_time",
        "event_type",
        "rating",
        "known_day",
        tie_break(settings.seed, "user_id", "item_id", "event_type").alias("tie"),
        event_weight(settings).alias("weight"),
    )


def newest(events: DataFrame, key: str, value: Column, n: int, *, name: str) -> DataFrame:
    """The last `n` events of each `key` in known order, as a list of `value`, oldest first.

    The events are sorted and cut before they are collected, so that a user or item with any number of events takes
    bounded memory.
    """
    last_first = Window.partitionBy(key).orderBy(*(F.desc(column) for column in KNOWN_ORDER))
    last = events.withColumn("nth", F.row_number().over(last_first)).where(F.col("nth") <= n)
    lists = last.groupBy(key).agg(
        F.array_sort(F.collect_list(F.struct(-F.col("nth"), value.alias("value")))).alias(name)
    )
    return lists.select(key, F.col(f"{name}.value").alias(name))
