from math import log2

import pytest
from pyspark.sql import SparkSession

from recthinker.errors import TableContractError
from recthinker.features.similar_users import similar_users, user_hash
from recthinker.settings import FeatureSettings
from tests.features.similar_worlds import DS, Event, frame, recent, rows, scratch, settings_of, state, written

pytestmark = pytest.mark.spark


def test_similar_users_by_hand(spark: SparkSession, features: FeatureSettings) -> None:
    # As of day 2: a has 3 events, b has 2 and c has 1. u's own second event of a links nobody twice.
    world = frame(spark, written("1 v a, 1 u a, 1 w b, 2 u b, 2 u c, 2 u a, 3 x d"), features)

    found = rows(scratch(world, features))

    a, b, c = 1 / log2(4), 1 / log2(3), 1 / log2(2)
    assert found["u"] == [("w", pytest.approx(b / (a + b + c))), ("v", pytest.approx(a / (a + b + c)))]
    # v and w were last active on day 1: v's only item then had u's first event, w's had nobody else's.
    assert found["v"] == [("u", pytest.approx(1.0))]
    assert set(found) == {"u", "v"}


def test_similar_users_event_after_the_last_day_changes_no_row(spark: SparkSession, features: FeatureSettings) -> None:
    known = written("1 v a, 2 u a, 2 u b, 3 v b")
    later = [*known, *written("4 w a, 4 w b, 5 x a")]

    before = rows(scratch(frame(spark, known, features), features))
    after = rows(scratch(frame(spark, later, features), features))

    assert {user: after[user] for user in before} == before
    assert set(after) == {"u", "v", "w", "x"}


def test_similar_users_of_the_same_day_see_each_other(spark: SparkSession, features: FeatureSettings) -> None:
    found = rows(scratch(frame(spark, written("1 u a, 1 v a"), features), features))

    assert found == {"u": [("v", 1.0)], "v": [("u", 1.0)]}


def test_similar_users_old_items_of_a_user_do_not_count(spark: SparkSession, features: FeatureSettings) -> None:
    world = frame(spark, written("1 v a, 1 w b, 2 u a, 2 u b, 2 u c"), features)

    # The newest two of u are b (2 events) and c (1).
    found = rows(scratch(world, settings_of(features, items=2)))

    assert found["u"] == [("w", pytest.approx(1 / log2(3) / (1 / log2(3) + 1)))]


def test_similar_users_a_popular_item_links_its_newest_users(spark: SparkSession, features: FeatureSettings) -> None:
    world = frame(spark, written(",".join(f"{day} u{day} hit" for day in range(1, 9)) + ", 8 u8 own"), features)

    found = rows(scratch(world, settings_of(features, users=3)))

    # The newest 3 events as of day 8 are those of u6, u7 and u8; all 8 count for the weight.
    assert {user for user, _ in found["u8"]} == {"u6", "u7"}
    assert found["u8"][0][1] == pytest.approx(1 / log2(9) / (1 / log2(9) + 1))
    assert {user for user, _ in found["u2"]} == {"u1"}
    assert "u1" not in found


def test_similar_users_ties_go_by_seed(spark: SparkSession, features: FeatureSettings) -> None:
    world = frame(spark, written(",".join(f"1 v{n} a" for n in range(12)) + ", 2 u a"), features)

    def chosen(seed: int, k: int) -> list[str]:
        settings = settings_of(features, k=k).model_copy(update={"seed": seed})
        return [user for user, _ in rows(scratch(world, settings))["u"]]

    assert chosen(1, 3) == chosen(1, 12)[:3]
    assert len({tuple(chosen(seed, 12)) for seed in (1, 2, 3)}) == 3


@pytest.mark.parametrize("users_in_memory", [0, 10])
def test_similar_users_names_the_hash_of_an_unknown_user(
    spark: SparkSession, features: FeatureSettings, users_in_memory: int
) -> None:
    world = frame(spark, written("1 v a, 2 u a"), features)
    known = world.select("user_id").where("user_id = 'u'")

    night = similar_users(
        world, recent(world, features), known, before=None, ds=DS, settings=features, users_in_memory=users_in_memory
    )

    with pytest.raises(Exception, match=r"no known user has the hash -?\d+; expected `users`"):
        night.collect()


@pytest.mark.parametrize("users_in_memory", [0, 10])
def test_similar_users_two_users_of_one_hash(
    spark: SparkSession, features: FeatureSettings, users_in_memory: int
) -> None:
    world = frame(spark, written("1 v a, 2 u a"), features)
    twice = world.select("user_id").unionAll(world.select("user_id"))

    # Two ids of one xxHash64 are not to be had: an id that stands there twice takes the same way.
    with pytest.raises(TableContractError, match="found 2 shared by two"):
        similar_users(
            world,
            recent(world, features),
            twice,
            before=None,
            ds=DS,
            settings=features,
            users_in_memory=users_in_memory,
        )


def test_newest_users_oldest_first(spark: SparkSession, features: FeatureSettings) -> None:
    # v's event of day 1 became known on day 3: it comes last.
    world = frame(spark, [*written("1 u a, 2 w a, 2 x a"), Event(3, "v", "a", 1, 0)], features)

    kept = state(world, settings_of(features, users=3)).collect()[0]

    hashes = {row["user_id"]: row["user"] for row in world.select("user_id", user_hash().alias("user")).collect()}
    assert (kept["paired"], kept["recent_users"]) == (4, [hashes[user] for user in "wxv"])
