import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from recthinker.features.order import newest_first
from recthinker.features.user_history import user_history
from recthinker.settings import FeatureSettings
from tests.features.rows import by_key, histories, shuffled

pytestmark = pytest.mark.spark


def test_user_history_newest_first(spark: SparkSession, features: FeatureSettings) -> None:
    rows = by_key(user_history(histories(spark, u="a b a", v="c"), ds="2024-03-01", settings=features), "user_id")

    assert [e["item_id"] for e in rows["u"]["events"]] == ["a", "b", "a"]
    assert [e["event_time"].hour for e in rows["u"]["events"]] == [2, 1, 0]
    assert [e["item_id"] for e in rows["v"]["events"]] == ["c"]
    assert rows["u"]["ds"] == "2024-03-01"


def test_user_history_keeps_the_newest(spark: SparkSession, features: FeatureSettings) -> None:
    settings = features.model_copy(update={"history_max_events": 2})

    rows = by_key(user_history(histories(spark, u="a b c"), ds="2024-03-01", settings=settings), "user_id")

    assert [e["item_id"] for e in rows["u"]["events"]] == ["c", "b"]


def test_user_history_ties_as_in_the_one_order(spark: SparkSession, features: FeatureSettings) -> None:
    events = histories(spark, u="a=b=c=d=e=f=g")
    placed = events.withColumn("n", F.row_number().over(newest_first(features.seed))).orderBy("n")
    settings = features.model_copy(update={"history_max_events": 4})

    rows = by_key(user_history(shuffled(events), ds="2024-03-01", settings=settings), "user_id")

    assert [e["item_id"] for e in rows["u"]["events"]] == [row.item_id for row in placed.collect()][:4]
