from math import sqrt

import pytest
from pyspark.sql import SparkSession

from recthinker.features.similar_users import capped_links, similar_users
from recthinker.settings import FeatureSettings
from tests.features.rows import by_key, histories, shuffled

pytestmark = pytest.mark.spark


def test_similar_users_by_hand(spark: SparkSession, features: FeatureSettings) -> None:
    # u has 4 items (b twice), v 2 of them, w 1 of them, x none.
    world = histories(spark, u="a b b c d", v="b a", w="c", x="e")

    rows = by_key(similar_users(world, ds="2024-03-01", settings=features), "user_id")

    assert set(rows) == {"u", "v", "w"}
    assert rows["u"]["neighbours"] == [
        {"user_id": "v", "similarity": pytest.approx(2 / sqrt(4 * 2))},
        {"user_id": "w", "similarity": pytest.approx(1 / sqrt(4 * 1))},
    ]
    assert [n["user_id"] for n in rows["v"]["neighbours"]] == ["u"]


def test_similar_users_top_k(spark: SparkSession, features: FeatureSettings) -> None:
    world = histories(spark, u="a b", v="a b", w="a")
    settings = features.model_copy(update={"similar_top_k": 1})

    rows = by_key(similar_users(world, ds="2024-03-01", settings=settings), "user_id")

    assert [n["user_id"] for n in rows["u"]["neighbours"]] == ["v"]


def test_similar_users_cap_on_users_per_item(spark: SparkSession, features: FeatureSettings) -> None:
    world = histories(spark, **{f"u{n}": "hit" for n in range(8)}, v="a")
    settings = features.model_copy(update={"similar_max_users_per_item": 3})

    rows = by_key(similar_users(world, ds="2024-03-01", settings=settings), "user_id")
    again = by_key(similar_users(shuffled(world), ds="2024-03-01", settings=settings), "user_id")

    # 3 of the 8 users of `hit` are linked, each with the 2 others.
    assert [len(row["neighbours"]) for row in rows.values()] == [2, 2, 2]
    assert set(rows) != {"u0", "u1", "u2"}
    assert rows == again
    assert capped_links(world, settings).collect()[0].asDict() == {"items": 1, "links": 9, "dropped": 5}
