from collections.abc import Callable
from datetime import timedelta
from math import sqrt
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pyspark.sql import DataFrame, SparkSession

from recthinker.features.co_interaction import WEIGHT_UNIT
from recthinker.settings import FeatureSettings
from tests import tiny_world
from tests.features import pair_tables
from tests.features.pair_tables import Edges
from tests.features.rows import START, event, histories, shuffled

pytestmark = pytest.mark.spark

Build = Callable[..., Edges]


@pytest.fixture
def edges(features: FeatureSettings, tmp_path: Path) -> Callable[..., Edges]:
    def build(interactions: DataFrame, **settings: Any) -> Edges:
        chosen = features.model_copy(update=settings)
        return pair_tables.from_scratch(interactions, chosen, tmp_path / uuid4().hex)

    return build


def test_co_interaction_by_hand(spark: SparkSession, edges: Build) -> None:
    # u: a, b, c, a. Pairs within 2 events: a>b (1), b>c (1), a>c (2), c>a (1), b>a (2); a, a is none.
    found = edges(histories(spark, u="a b c a"), co_window=2, co_half_life=1)

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


def test_co_interaction_window_bounds_the_distance(spark: SparkSession, edges: Build) -> None:
    found = edges(histories(spark, u="a b c d"), co_window=1)

    assert {pair for pair in found if pair[0] < pair[1]} == {("a", "b"), ("b", "c"), ("c", "d")}


def test_co_interaction_half_life(spark: SparkSession, edges: Build) -> None:
    found = edges(histories(spark, u="a b c d"), co_half_life=2)

    # Distances 1, 2, 3 at a half-life of 2 events: 1, 2^-1/2, 2^-1.
    weights = [found["a", later]["next_weight"] for later in "bcd"]
    assert weights == pytest.approx([1, 1 / sqrt(2), 1 / 2], abs=WEIGHT_UNIT)


def test_co_interaction_is_additive_over_events(spark: SparkSession, edges: Build) -> None:
    one = edges(histories(spark, u="a b c"))
    more = edges(histories(spark, u="a b c b"))
    other = edges(histories(spark, v="b a"))
    both = edges(histories(spark, u="a b c", v="b a"))

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


def test_co_interaction_min_support_and_no_neighbours(spark: SparkSession, edges: Build) -> None:
    found = edges(histories(spark, u="a b", v="a b", w="c d", x="e"), co_min_support=2)

    assert set(found) == {("a", "b"), ("b", "a")}


def test_co_interaction_top_k_by_cosine(spark: SparkSession, edges: Build) -> None:
    # b follows a for three users, c for one; c also stands elsewhere.
    world = histories(spark, u="a b", v="a b", w="a b c", x="c", y="c")

    found = edges(world, co_top_k=1)

    assert [pair for pair in found if pair[0] == "a"] == [("a", "b")]


def test_co_interaction_ties_do_not_follow_the_input(spark: SparkSession, edges: Build) -> None:
    # Each of the 12 neighbours of x has the same cosine, and all are at the same time.
    world = histories(spark, u="x a=b=c=d=e=f=g=h=i=j=k=l")

    kept = edges(world, co_top_k=4)

    assert edges(shuffled(world), co_top_k=4) == kept
    of_x = [neighbour for item, neighbour in kept if item == "x"]
    assert len(of_x) == 4
    assert of_x != ["a", "b", "c", "d"]
    # The hash is of ids: in another world, where the numbers are others, the same four are kept.
    wider = world.unionByName(histories(spark, v="A", w="ab"))
    assert [neighbour for item, neighbour in edges(wider, co_top_k=4) if item == "x"] == of_x


def test_co_interaction_weighs_the_later_event(spark: SparkSession, edges: Build) -> None:
    kinds = ["view", "purchase", "impression", "cart", "other"]
    rows = [event("u", item, START + timedelta(hours=n), event_type=kinds[n]) for n, item in enumerate("abcde")]

    found = edges(tiny_world.frame(spark, "interactions", rows), co_half_life=1)

    # The impression weighs 0: it is left out, so d comes 1 event after b. View 1, purchase 5, cart 3, others 1.
    assert {pair for pair in found if "c" in pair} == set()
    assert found["a", "b"]["next_weight"] == 5
    assert found["b", "d"]["next_weight"] == 3
    assert found["a", "d"]["next_weight"] == 3 / 2
    assert found["d", "e"]["next_weight"] == 1
    assert found["b", "e"]["next_weight"] == 1 / 2
    assert found["b", "a"]["next_weight"] == 0
    # Four events in all: the impression is none of them.
    assert found["a", "b"]["lift"] == pytest.approx(1 * 4 / (1 * 1))


def test_co_interaction_of_events_that_make_no_pair(spark: SparkSession, edges: Build) -> None:
    assert edges(histories(spark, u="a a a", v="b")) == {}
