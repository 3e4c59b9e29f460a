import pytest
from pyspark.sql import DataFrame, SparkSession

from recthinker.errors import ConfigError
from recthinker.features.cuts import Cut, Split
from recthinker.tables.schemas import HELD_OUT
from tests import tiny_world

spark_test = pytest.mark.spark

SEED = 5


def split(spark: SparkSession, cut: str) -> tuple[DataFrame, Split]:
    interactions = tiny_world.frames(spark)["interactions"]
    return interactions, Cut.parse(cut).split(interactions, ds=tiny_world.DS, seed=SEED)


def keys(df: DataFrame) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in df.select("user_id", "item_id", "event_time", "event_type", "rating").collect())


@spark_test
@pytest.mark.parametrize("cut", ["holdout_last:2", "temporal:2024-03-08"])
def test_view_and_held_out_are_all(spark: SparkSession, cut: str) -> None:
    interactions, (view, held_out) = split(spark, cut)

    assert sorted(keys(view) + keys(held_out)) == keys(interactions)
    assert view.schema == interactions.schema
    assert held_out.columns == HELD_OUT.column_names


@spark_test
def test_holdout_last_takes_each_users_newest(spark: SparkSession) -> None:
    _, (view, held_out) = split(spark, "holdout_last:2")

    taken = {(row.user_id, row.position): row.item_id for row in held_out.collect()}
    assert taken["u01", 1] == "i17"
    assert taken["u01", 2] == "i06"
    assert taken["u08", 1] == "i02"
    # u12 has one event: it is taken, and no second is there.
    assert {key for key in taken if key[0] == "u12"} == {("u12", 1)}
    assert len(taken) == 11 * 2 + 1
    assert "u12" not in {row.user_id for row in view.collect()}


@spark_test
def test_holdout_last_ties_do_not_follow_the_input(spark: SparkSession) -> None:
    # u10's events 3 to 5 are at the same time; 4 newest = two later ones and two of these three.
    interactions, (_, held_out) = split(spark, "holdout_last:5")
    other = Cut("holdout_last", 5).split(interactions.repartition(4, "item_id"), ds=tiny_world.DS, seed=SEED)

    assert sorted(held_out.collect()) == sorted(other.held_out.collect())


@spark_test
def test_temporal_cuts_at_midnight(spark: SparkSession) -> None:
    _, (view, held_out) = split(spark, "temporal:2024-03-10")

    assert {row.event_time.day for row in held_out.collect()} == {10}
    assert max(row.event_time.day for row in view.collect()) == 9
    # u04 has two events that day, 15:00 i07 and 16:00 i18.
    u04 = {row.position: row.item_id for row in held_out.where("user_id = 'u04'").collect()}
    assert u04 == {1: "i18", 2: "i07"}


@pytest.mark.parametrize(
    ("text", "name"),
    [("holdout_last:11", "holdout_last_11"), ("temporal:1998-03-01", "temporal_1998-03-01")],
)
def test_cut_name_is_fit_for_a_folder(text: str, name: str) -> None:
    assert Cut.parse(text).name == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "holdout_last",
        "holdout_last:0",
        "holdout_last:-1",
        "temporal:1998-02-30",
        "temporal:19980301",
        "x:1",
    ],
)
def test_cut_refuses_what_is_none(text: str) -> None:
    with pytest.raises(ConfigError, match="training cut"):
        Cut.parse(text)
