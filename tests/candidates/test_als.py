import pytest
from pyspark.sql import DataFrame, SparkSession

from recthinker.candidates.als import als_scores
from recthinker.candidates.build import weighed_pairs
from recthinker.settings import CandidateSettings, load_settings
from tests import tiny_world

pytestmark = pytest.mark.spark


def best(interactions: DataFrame, settings: CandidateSettings, n: int) -> dict[str, list[tuple[str, float]]]:
    found: dict[str, list[tuple[str, float]]] = {}
    owned = weighed_pairs(interactions, load_settings("test", environ={}).features)
    scored = als_scores(owned, settings.als, n=n, seed=3).orderBy("user_id", "score", ascending=False)
    for row in scored.collect():
        found.setdefault(row.user_id, []).append((row.item_id, row.score))
    return found


def test_als_finds_the_taste_of_each_group(spark: SparkSession, candidate_settings: CandidateSettings) -> None:
    found = best(tiny_world.frames(spark)["interactions"], candidate_settings, n=4)

    assert set(found) == set(tiny_world.HISTORIES)
    # u05-u08 like i09-i16, u12 has one event, a comedy (i17-i24).
    assert {item for item, _ in found["u06"]} <= {f"i{n:02d}" for n in range(9, 17)}
    assert {item for item, _ in found["u12"]} <= {f"i{n:02d}" for n in range(17, 25)}


def test_als_is_the_same_for_shuffled_input(spark: SparkSession, candidate_settings: CandidateSettings) -> None:
    interactions = tiny_world.frames(spark)["interactions"]

    assert best(interactions.repartition(5, "item_id"), candidate_settings, n=6) == best(
        interactions, candidate_settings, n=6
    )


def test_als_follows_the_weights(spark: SparkSession, candidate_settings: CandidateSettings) -> None:
    """All users have both a and b; where a weighs more for all, a is preferred, and the other way round."""
    pairs = [(f"u{n}", item) for n in range(6) for item in "ab"]

    def preferred(heavy: str) -> set[str]:
        rows = [(user, item, 9.0 if item == heavy else 0.01) for user, item in pairs]
        owned = spark.createDataFrame(rows, "user_id string, item_id string, weight double")
        found = als_scores(owned, candidate_settings.als, n=1, seed=3).collect()
        return {row.item_id for row in found}

    assert (preferred("a"), preferred("b")) == ({"a"}, {"b"})
