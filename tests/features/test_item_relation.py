import pytest
from pyspark.sql import DataFrame, SparkSession

from recthinker.features.item_relation import item_relation
from recthinker.settings import FeatureSettings
from tests import tiny_world
from tests.features.rows import by_key, shuffled

pytestmark = pytest.mark.spark


def edges(spark: SparkSession, *rows: tuple[str, str, str]) -> DataFrame:
    columns = ("head_item_id", "relation", "tail_id")
    full = [dict(zip(columns, row, strict=True)) | {"tail_label": None, "tail_item_id": None} for row in rows]
    return tiny_world.frame(spark, "item_relations", full)


def test_item_relation_labels_and_order(spark: SparkSession, features: FeatureSettings) -> None:
    relations = tiny_world.frames(spark)["item_relations"]

    rows = by_key(item_relation(relations, ds=tiny_world.DS, settings=features), "item_id")

    assert set(rows) == set(tiny_world.DIRECTORS)
    assert rows["i01"]["neighbours"] == [
        {"relation": "directed_by", "label": "m.d1", "item_id": None},
        {"relation": "sequel", "label": "Far Orbit", "item_id": "i02"},
    ]


def test_item_relation_keeps_rarer_tails(spark: SparkSession, features: FeatureSettings) -> None:
    # country leads to `us` three times, to `fr` twice, to `is` once.
    relations = edges(
        spark,
        ("a", "country", "us"),
        ("a", "country", "is"),
        ("a", "country", "fr"),
        ("b", "country", "us"),
        ("b", "country", "fr"),
        ("c", "country", "us"),
    )
    settings = features.model_copy(update={"relation_max_neighbours": 2})

    rows = by_key(item_relation(relations, ds="2024-03-01", settings=settings), "item_id")

    assert [n["label"] for n in rows["a"]["neighbours"]] == ["fr", "is"]
    assert [n["label"] for n in rows["b"]["neighbours"]] == ["fr", "us"]


def test_item_relation_ties_do_not_follow_the_input(spark: SparkSession, features: FeatureSettings) -> None:
    relations = edges(spark, *(("a", "tag", f"t{n}") for n in range(20)))
    settings = features.model_copy(update={"relation_max_neighbours": 5})

    kept = by_key(item_relation(relations, ds="2024-03-01", settings=settings), "item_id")["a"]
    again = by_key(item_relation(shuffled(relations), ds="2024-03-01", settings=settings), "item_id")["a"]

    assert kept == again
    assert [n["label"] for n in kept["neighbours"]] != [f"t{n}" for n in range(5)]
