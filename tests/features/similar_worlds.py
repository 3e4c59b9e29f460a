"""Events for tests of `similar_users`, by text or at random: `3 u a` is a view of item a by user u known from day 3 on.

Many random worlds share one frame: `w<n>/` before each id keeps them apart, as a Spark job costs more than its rows.
"""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from recthinker.features.events import newest
from recthinker.features.order import tie_break
from recthinker.features.similar_users import similar_users, user_hash
from recthinker.settings import FeatureSettings

DS = "2024-03-09"


class Event(NamedTuple):
    known: int
    user: str
    item: str
    happened: int
    """Day of the event: `known`, or before where it arrived late."""
    second: int


def written(text: str) -> list[Event]:
    """Events in the order they happened: `<day known> <user> <item>`, separated by commas."""
    events = []
    for second, words in enumerate(text.split(",")):
        day, user, item = words.split()
        events.append(Event(int(day), user, item, int(day), second))
    return events


def frame(spark: SparkSession, events: Sequence[Event], settings: FeatureSettings) -> DataFrame:
    start = datetime(2024, 3, 1, tzinfo=UTC)
    rows = [
        (e.user, e.item, date(2024, 3, e.known), start + timedelta(days=e.happened - 1, seconds=e.second))
        for e in events
    ]
    df = spark.createDataFrame(rows, "user_id string, item_id string, known_day date, event_time timestamp")
    return df.withColumn("event_type", F.lit("view")).withColumn(
        "tie", tie_break(settings.seed, "user_id", "item_id", "event_type")
    )


def recent(events: DataFrame, settings: FeatureSettings) -> DataFrame:
    newest = F.max_by("item_id", F.struct("known_day", "event_time", "tie"), settings.similar_items)
    return events.groupBy("user_id").agg(F.max("known_day").alias("last_day"), F.array_distinct(newest).alias("items"))


def state(events: DataFrame, settings: FeatureSettings) -> DataFrame:
    """The columns of `item_state` that an incremental build reads."""
    users = newest(events, "item_id", user_hash(), settings.similar_users_per_item, name="recent_users")
    return events.groupBy("item_id").agg(F.count("*").alias("paired")).join(users, "item_id")


def scratch(events: DataFrame, settings: FeatureSettings, **options: int) -> DataFrame:
    users = events.select("user_id").distinct()
    return similar_users(events, recent(events, settings), users, before=None, ds=DS, settings=settings, **options)


def rows(df: DataFrame) -> dict[str, list[tuple[str, float]]]:
    return {row["user_id"]: [(n["user_id"], n["similarity"]) for n in row["neighbours"]] for row in df.collect()}


def settings_of(features: FeatureSettings, *, items: int = 30, users: int = 20, k: int = 50) -> FeatureSettings:
    update = {"similar_items": items, "similar_users_per_item": users, "similar_top_k": k}
    return features.model_copy(update=update)


def random_world(name: str, seed: int) -> list[Event]:
    """Up to 60 events of 6 users over 5 items in 8 days, a third of them late, times often equal."""
    rng = random.Random(seed)
    events = set()
    for _ in range(rng.randint(1, 60)):
        user, item = f"w{name}/u{rng.randint(1, 6)}", f"w{name}/{rng.choice('aaabbcde')}"
        happened = rng.randint(1, 8)
        known = min(happened + rng.choice([0, 0, rng.randint(1, 5)]), 8)
        events.add(Event(known, user, item, happened, rng.randint(0, 3)))
    return sorted(events)
