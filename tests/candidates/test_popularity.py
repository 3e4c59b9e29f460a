import pytest
from pyspark.sql import SparkSession

from recthinker.candidates.popularity import popularity_scores

pytestmark = pytest.mark.spark


def test_popularity_leaves_n_items_beside_those_of_the_user(spark: SparkSession) -> None:
    metadata = spark.createDataFrame(
        [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)], "item_id string, popularity_rank int"
    )
    has = [("u", "a", 1.0), ("u", "e", 5.0), ("v", "b", 1.0), *(("w", item, 1.0) for item in "abcd")]
    shown = [("v", "c", 0.0), ("x", "a", 0.0)]
    pairs = spark.createDataFrame(has + shown, "user_id string, item_id string, weight double")

    scored: dict[str, list[str]] = {}
    for row in popularity_scores(pairs, metadata, n=1).orderBy("user_id", "score", ascending=False).collect():
        scored.setdefault(row.user_id, []).append(row.item_id)

    # n + items of the user: 1 + 2, 1 + 1, 1 + 4 (the whole catalogue), 1 + 0 (x was shown one, and has none).
    assert scored == {"u": ["a", "b", "c"], "v": ["a", "b"], "w": ["a", "b", "c", "d", "e"], "x": ["a"]}
