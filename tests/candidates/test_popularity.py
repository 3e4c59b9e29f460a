import pytest
from pyspark.sql import SparkSession

from recthinker.candidates.popularity import popularity_scores

pytestmark = pytest.mark.spark


def test_popularity_leaves_n_items_beside_those_of_the_user(spark: SparkSession) -> None:
    metadata = spark.createDataFrame(
        [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)], "item_id string, popularity_rank int"
    )
    owned = spark.createDataFrame(
        [("u", "a"), ("u", "e"), ("v", "b"), *(("w", item) for item in "abcd")],
        "user_id string, item_id string",
    )

    scored: dict[str, list[str]] = {}
    for row in popularity_scores(owned, metadata, n=1).orderBy("user_id", "score", ascending=False).collect():
        scored.setdefault(row.user_id, []).append(row.item_id)

    # n + items of the user: 1 + 2, 1 + 1, 1 + 4 (the whole catalogue).
    assert scored == {"u": ["a", "b", "c"], "v": ["a", "b"], "w": ["a", "b", "c", "d", "e"]}
