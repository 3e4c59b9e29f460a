from math import sqrt

import pytest
from pyspark.sql import DataFrame, SparkSession

from recthinker.features.co_interaction import WEIGHT_UNIT, co_interaction
from recthinker.settings import FeatureSettings
from tests.features.rows import histories, shuffled

pytestmark = pytest.mark.spark

Edges = dict[tuple[str, str], dict[str, float]]


def edges(interactions: DataFrame, features: FeatureSettings, **settings: float) -> Edges:
    rows = co_interaction(interactions, ds="2024-03-01", settings=features.model_copy(update=settings)).collect()
    return {(row.item_id, n.item_id): n.asDict() for row in rows for n in row.neighbours}


def test_co_interaction_by_hand(spark: SparkSession, features: FeatureSettings) -> None:
    # u: a, b, c, a. Pairs within 2 events: a>b (1), b>c (1), a>c (2), c>a (1), b>a (2); a, a is none.
    found = edges(histories(spark, u="a b c a"), features, co_window=2, co_half_life=1)

    assert {pair: e["support"] for pair, e in found.items()} == {
        ("a", "b"): 2, ("b", "a"): 2, ("a", "c"): 2, ("c", "a"): 2, ("b", "c"): 1, ("c", "b"): 1,
    }  # fmt: skip
    # Weight 2^-((d-1)/1): 1 at distance 1, 1/2 at distance 2.
    assert {pair: e["next_weight"] for pair, e in found.items()} == {
        ("a", "b"): 1, ("b", "a"): 0.5, ("a", "c"): 0.5, ("c", "a"): 1, ("b", "c"): 1, ("c", "b"): 0,
    }  # fmt: skip
    # Events: a 2, b 1, c 1; 4 in all.
    assert found["a", "b"]["cosine"] == pytest.approx(2 / sqrt(2 * 1))
    assert found["b", "c"]["cosine"] == pytest.approx(1 / sqrt(1 * 1))
    assert found["a", "b"]["lift"] == pytest.approx(2 * 4 / (2 * 1))


def test_co_interaction_window_bounds_the_distance(spark: SparkSession, features: FeatureSettings) -> None:
    found = edges(histories(spark, u="a b c d"), features, co_window=1)

    assert {pair for pair in found if pair[0] < pair[1]} == {("a", "b"), ("b", "c"), ("c", "d")}


def test_co_interaction_half_life(spark: SparkSession, features: FeatureSettings) -> None:
    found = edges(histories(spark, u="a b c d"), features, co_half_life=2)

    # Distances 1, 2, 3 at a half-life of 2 events: 1, 2^-1/2, 2^-1.
    weights = [found["a", later]["next_weight"] for later in "bcd"]
    assert weights == pytest.approx([1, 1 / sqrt(2), 1 / 2], abs=WEIGHT_UNIT)


def test_co_interaction_is_additive_over_events(spark: SparkSession, features: FeatureSettings) -> None:
    one = edges(histories(spark, u="a b c"), features)
    more = edges(histories(spark, u="a b c b"), features)
    other = edges(histories(spark, v="b a"), features)
    both = edges(histories(spark, u="a b c", v="b a"), features)

    # The fourth event, b, adds one pair with c (distance 1) and one with a (distance 3), none with b.
    assert more["a", "b"]["support"] - one["a", "b"]["support"] == 1
    assert more["b", "c"]["support"] - one["b", "c"]["support"] == 1
    assert more["a", "c"]["support"] == one["a", "c"]["support"]
    assert more["b", "a"]["next_weight"] == one["b", "a"]["next_weight"] == 0
    # At distance 3 of a half-life of 10: 2^-(2/10).
    grown = more["a", "b"]["next_weight"] - one["a", "b"]["next_weight"]
    assert grown == pytest.approx(2 ** (-2 / 10), abs=WEIGHT_UNIT)
    for value in ("support", "next_weight"):
        assert both["a", "b"][value] == one["a", "b"][value] + other["a", "b"][value]


def test_co_interaction_min_support_and_no_neighbours(spark: SparkSession, features: FeatureSettings) -> None:
    found = edges(histories(spark, u="a b", v="a b", w="c d", x="e"), features, co_min_support=2)

    assert set(found) == {("a", "b"), ("b", "a")}


def test_co_interaction_top_k_by_cosine(spark: SparkSession, features: FeatureSettings) -> None:
    # b follows a for three users, c for one; c also stands elsewhere.
    world = histories(spark, u="a b", v="a b", w="a b c", x="c", y="c")

    rows = co_interaction(world, ds="2024-03-01", settings=features.model_copy(update={"co_top_k": 1})).collect()

    assert {row.item_id: [n.item_id for n in row.neighbours] for row in rows}["a"] == ["b"]


def test_co_interaction_ties_do_not_follow_the_input(spark: SparkSession, features: FeatureSettings) -> None:
    # Each of the 12 neighbours of x has the same cosine, and all are at the same time.
    world = histories(spark, u="x a=b=c=d=e=f=g=h=i=j=k=l")
    settings = features.model_copy(update={"co_top_k": 4})

    kept = co_interaction(world, ds="2024-03-01", settings=settings)
    again = co_interaction(shuffled(world), ds="2024-03-01", settings=settings)

    assert sorted(kept.collect()) == sorted(again.collect())
    assert [n.item_id for n in kept.where("item_id = 'x'").collect()[0].neighbours] != ["a", "b", "c", "d"]
