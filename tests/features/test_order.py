import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from recthinker.features.order import newest_first
from tests.features.rows import histories, shuffled

pytestmark = pytest.mark.spark

TIED = "a=b=c=d=e=f"


def order_of(spark: SparkSession, seed: int, *, shuffle: bool = False) -> list[str]:
    events = histories(spark, u=f"z {TIED} y")
    placed = (shuffled(events) if shuffle else events).withColumn("n", F.row_number().over(newest_first(seed)))
    return [row.item_id for row in placed.orderBy(F.desc("n")).collect()]


def test_time_comes_first(spark: SparkSession) -> None:
    order = order_of(spark, seed=1)

    assert (order[0], order[-1]) == ("z", "y")
    assert sorted(order[1:-1]) == TIED.split("=")


def test_ties_follow_the_seed_and_not_the_input(spark: SparkSession) -> None:
    orders = [order_of(spark, seed) for seed in range(4)]

    assert len({tuple(order) for order in orders}) > 1
    assert sorted(orders[0]) not in orders
    assert order_of(spark, 2, shuffle=True) == orders[2]
