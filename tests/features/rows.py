"""Small frames for feature tests: events written as text, tables read back as plain Python."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from recthinker.features.events import as_events
from recthinker.features.item_state import item_state
from recthinker.features.known import known_before
from recthinker.features.user_state import user_state
from recthinker.settings import FeatureSettings
from tests import tiny_world

START = datetime(2024, 3, 1, tzinfo=UTC)


def event(user: str, item: str, time: datetime, **columns: Any) -> tiny_world.Row:
    """A row of `interactions`."""
    row = {"user_id": user, "item_id": item, "event_time": time, "event_date": time.date(), "source": "test"}
    return row | {"event_type": "view", "rating": None, "ingested_at": None} | columns


def histories(spark: SparkSession, **users: str) -> DataFrame:
    """`interactions`: each user's items, oldest first, an hour apart; `a=b` means b at a's time."""
    rows = [
        event(user, item, START + timedelta(hours=hour))
        for user, text in users.items()
        for hour, items in enumerate(text.split())
        for item in items.split("=")
    ]
    return tiny_world.frame(spark, "interactions", rows)


def states(interactions: DataFrame, items: DataFrame, features: FeatureSettings) -> tuple[DataFrame, DataFrame]:
    """`user_state` and `item_state` of all of the interactions, from scratch."""
    events = as_events(known_before(interactions, "2099-01-01", 0), features)
    of_users = user_state(events, items, before=None, ds=tiny_world.DS, settings=features)
    return of_users, item_state(events, before=None, ds=tiny_world.DS, settings=features)


def shuffled(df: DataFrame) -> DataFrame:
    """The same rows in another order, over other partitions."""
    return df.orderBy(F.rand(5)).repartition(3)


def by_key(df: DataFrame, key: str) -> dict[str, dict[str, Any]]:
    """Each row as a dictionary, by the value of `key`."""
    return {row[key]: row.asDict(recursive=True) for row in df.collect()}
