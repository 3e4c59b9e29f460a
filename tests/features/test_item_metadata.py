from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from recthinker.features.item_metadata import item_metadata
from recthinker.settings import FeatureSettings
from tests import tiny_world
from tests.features.rows import by_key, histories, states

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def metadata(spark: SparkSession, features: FeatureSettings) -> dict[str, dict[str, Any]]:
    world = tiny_world.frames(spark)
    return metadata_of(world["interactions"], world["items"], features)


def metadata_of(events: DataFrame, items: DataFrame, settings: FeatureSettings) -> dict[str, dict[str, Any]]:
    _, of_items = states(events, items, settings)
    return by_key(item_metadata(of_items, items, ds=tiny_world.DS, settings=settings), "item_id")


def test_item_metadata_of_a_seen_item(metadata: dict[str, dict[str, Any]]) -> None:
    i01 = metadata["i01"]

    # i01: u01 5, u02 4, u03 4, u04 5, u05 1
    assert i01["popularity"] == 5
    assert i01["mean_rating"] == (5 + 4 + 4 + 5 + 1) / 5
    assert (i01["title"], i01["categories"], i01["attributes"]) == (
        "Star Harbor",
        ["Sci-Fi"],
        {"year": "1990"},
    )


def test_item_metadata_of_an_unseen_and_an_untitled_item(metadata: dict[str, dict[str, Any]]) -> None:
    assert (metadata["i24"]["popularity"], metadata["i24"]["mean_rating"]) == (0, None)
    assert metadata["i24"]["popularity_rank"] == 24
    assert metadata["i23"]["title"] == "i23"


def test_item_metadata_ranks_have_no_gaps_and_follow_popularity(
    metadata: dict[str, dict[str, Any]],
) -> None:
    ranked = sorted(metadata.values(), key=lambda row: row["popularity_rank"])

    assert [row["popularity_rank"] for row in ranked] == list(range(1, 25))
    counts = [row["popularity"] for row in ranked]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == len(tiny_world.interactions())


def test_item_metadata_of_an_item_that_only_events_name(spark: SparkSession, features: FeatureSettings) -> None:
    items = tiny_world.frames(spark)["items"]

    rows = metadata_of(histories(spark, u="new"), items, features)

    new = rows["new"]
    assert (new["title"], new["categories"], new["attributes"]) == ("new", [], {})
    assert (new["popularity"], new["popularity_rank"]) == (1, 1)
