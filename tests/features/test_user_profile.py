from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from recthinker.features.user_profile import user_profile
from recthinker.settings import FeatureSettings
from tests import tiny_world
from tests.features.rows import by_key, histories, states

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def profiles(spark: SparkSession, features: FeatureSettings) -> dict[str, dict[str, Any]]:
    world = tiny_world.frames(spark)
    return profiles_of(world["interactions"], world, features)


def profiles_of(events: DataFrame, world: dict[str, DataFrame], settings: FeatureSettings) -> dict[str, dict[str, Any]]:
    of_users, _ = states(events, world["items"], settings)
    return by_key(user_profile(of_users, world["users"], ds=tiny_world.DS, settings=settings), "user_id")


def test_user_profile_counts_and_times(profiles: dict[str, dict[str, Any]]) -> None:
    u01 = profiles["u01"]

    assert u01["interaction_count"] == 7
    assert f"{u01['first_time']:%d %H}" == "01 09"
    assert f"{u01['last_time']:%d %H}" == "09 09"
    assert u01["mean_rating"] == (5 + 4 + 5 + 4 + 5 + 3 + 2) / 7


def test_user_profile_top_categories_most_frequent_first(profiles: dict[str, dict[str, Any]]) -> None:
    # u01: i01-i06 are Sci-Fi (6), i04 is Drama too (1), i17 is Comedy (1): the last two tie.
    top = profiles["u01"]["top_categories"]

    assert top[0] == "Sci-Fi"
    assert set(top[1:]) == {"Drama", "Comedy"}


def test_user_profile_covers_users_that_users_does_not_know(profiles: dict[str, dict[str, Any]]) -> None:
    assert set(profiles) == set(tiny_world.HISTORIES)
    assert profiles["u11"]["attributes"] == {}
    assert profiles["u12"]["attributes"] == {"age": "31", "gender": "M"}


def test_user_profile_without_ratings_or_categories(spark: SparkSession, features: FeatureSettings) -> None:
    world = tiny_world.frames(spark)
    events = histories(spark, u="unheard_of")

    row = profiles_of(events, world, features)

    assert row["u"]["mean_rating"] is None
    assert row["u"]["top_categories"] == []


def test_user_profile_keeps_the_most_frequent(spark: SparkSession, features: FeatureSettings) -> None:
    world = tiny_world.frames(spark)
    settings = features.model_copy(update={"profile_top_categories": 1})
    # i09 and i10 are Romance, i01 Sci-Fi.
    events = histories(spark, u="i01 i09 i10")

    row = profiles_of(events, world, settings)

    assert row["u"]["top_categories"] == ["Romance"]
