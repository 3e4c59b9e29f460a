import pytest
from pyspark.sql import SparkSession

from recthinker.candidates.merge import fuse
from recthinker.candidates.ranking import offer

pytestmark = pytest.mark.spark

SCORED = "user_id string, item_id string, score double"
OFFERED = "user_id string, item_id string, source string, rank int"


def test_offer_leaves_out_what_the_user_has(spark: SparkSession) -> None:
    scored = spark.createDataFrame([("u", "a", 3.0), ("u", "b", 2.0), ("u", "c", 1.0), ("v", "a", 1.0)], SCORED)
    owned = spark.createDataFrame([("u", "a"), ("v", "b")], "user_id string, item_id string")

    rows = offer("als", scored, owned, n=1, seed=1).collect()

    assert [tuple(row) for row in sorted(rows)] == [("u", "b", "als", 1), ("v", "a", "als", 1)]


def test_offer_ties_follow_the_seed(spark: SparkSession) -> None:
    scored = spark.createDataFrame([("u", item, 1.0) for item in "abcdef"], SCORED)
    nothing = spark.createDataFrame([], "user_id string, item_id string")

    def order(seed: int) -> list[str]:
        rows = offer("als", scored.repartition(3), nothing, n=6, seed=seed).collect()
        return [row.item_id for row in sorted(rows, key=lambda row: row["rank"])]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(4)}) > 1


def test_fuse_by_hand(spark: SparkSession) -> None:
    als = spark.createDataFrame([("u", "a", "als", 1), ("u", "b", "als", 2), ("v", "c", "als", 1)], OFFERED)
    popularity = spark.createDataFrame([("u", "b", "popularity", 1), ("u", "d", "popularity", 2)], OFFERED)

    rows = {row.user_id: row["items"] for row in fuse([als, popularity], rrf_k=20, max_items=2, seed=1).collect()}

    # u: b = 1/22 + 1/21, a = 1/21, d = 1/22, of which two are kept.
    assert [(item.item_id, item.sources) for item in rows["u"]] == [
        ("b", ["als", "popularity"]),
        ("a", ["als"]),
    ]
    assert [item.score for item in rows["u"]] == pytest.approx([1 / 22 + 1 / 21, 1 / 21], abs=1e-14)
    assert [item.item_id for item in rows["v"]] == ["c"]
