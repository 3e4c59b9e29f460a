import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from recthinker.errors import TableContractError
from recthinker.features import Cut, feature_tables, targets, write_features
from recthinker.features.build import Landing
from recthinker.features.known import known_before
from recthinker.settings import FeatureSettings, Settings
from recthinker.tables import schemas
from recthinker.tables.contract import conform
from recthinker.tables.store import TableStore
from tests import tiny_world
from tests.features.rows import event, shuffled

pytestmark = pytest.mark.spark

DAY_7 = "2024-03-07"


def all_rows(
    spark: SparkSession, features: FeatureSettings, rows: list[tiny_world.Row], *, shuffle: bool = False
) -> dict[str, list[str]]:
    """Each feature table of DAY_7 made from the interactions `rows`, as sorted text."""
    world = tiny_world.frames(spark) | {"interactions": tiny_world.frame(spark, "interactions", rows)}
    if shuffle:
        world = {name: shuffled(df) for name, df in world.items()}
    known = known_before(world["interactions"], DAY_7)
    source = Landing(known, world["items"], world["users"], world["item_relations"])
    tables = feature_tables(source, ds=DAY_7, settings=features)
    return {table.name: sorted(map(str, conform(table, df).collect())) for table, df in tables.items()}


def test_features_do_not_see_what_comes_later(spark: SparkSession, features: FeatureSettings) -> None:
    events = tiny_world.interactions()
    past = [row for row in events if str(row["event_date"]) <= DAY_7]
    later = event("u01", "i24", tiny_world.interactions()[-1]["event_time"].replace(day=8, hour=0), rating=1.0)

    assert len(past) < len(events)
    assert all_rows(spark, features, [*events, later]) == all_rows(spark, features, past)


def test_features_do_not_depend_on_the_order_of_input(spark: SparkSession, features: FeatureSettings) -> None:
    events = tiny_world.interactions()

    tables = all_rows(spark, features, events)

    assert all_rows(spark, features, events, shuffle=True) == tables
    assert set(tables) == {table.name for table in schemas.FEATURES}
    assert all(tables.values())


@pytest.fixture
def landed(tiny_store: TableStore, settings: Settings) -> TableStore:
    """A copy of the landing tables that this test may write beside."""
    shutil.copytree(tiny_store.root, settings.paths.warehouse)
    return TableStore(settings.paths.warehouse, tiny_store.spark)


def build(landed: TableStore, settings: Settings, ds: str, *cuts: str) -> list[str]:
    names = []
    for target in targets(
        landed,
        [Cut.parse(cut) for cut in cuts],
        cuts_root=settings.paths.cuts,
        ds=ds,
        settings=settings.features,
    ):
        write_features(target, ds=ds, settings=settings.features, run_id="test")
        names.append(target.name)
    return names


def rows_of(store: TableStore, table: schemas.Table, ds: str) -> list[str]:
    return sorted(map(str, store.read(table, ds=ds).collect()))


def test_build_writes_all_tables_and_again_the_same(landed: TableStore, settings: Settings) -> None:
    assert build(landed, settings, DAY_7) == ["serving"]
    first = {table.name: rows_of(landed, table, DAY_7) for table in schemas.FEATURES}

    build(landed, settings, DAY_7)

    assert {table.name: rows_of(landed, table, DAY_7) for table in schemas.FEATURES} == first
    assert len(first["user_profile"]) == 12


def test_build_before_the_first_event_writes_nothing(landed: TableStore, settings: Settings) -> None:
    with pytest.raises(TableContractError, match=r"ds 2024-02-29.*first event is of 2024-03-01"):
        build(landed, settings, "2024-02-29")

    assert not Path(landed.path(schemas.USER_PROFILE)).exists()


def test_build_cuts_lie_apart_and_hold_no_target(landed: TableStore, settings: Settings) -> None:
    names = build(landed, settings, tiny_world.DS, "holdout_last:1")

    assert names == ["holdout_last_1"]
    assert not Path(landed.path(schemas.USER_PROFILE)).exists()
    last = TableStore(settings.paths.cuts / "holdout_last_1", landed.spark)
    profiles = {row.user_id: row for row in last.read(schemas.USER_PROFILE, ds=tiny_world.DS).collect()}
    assert profiles["u01"].interaction_count == 6
    assert "u12" not in profiles
    assert last.read(schemas.INTERACTIONS).count() == len(tiny_world.interactions()) - 12
    assert last.read(schemas.HELD_OUT, ds=tiny_world.DS).count() == 12


def test_build_cut_that_leaves_nothing(landed: TableStore, settings: Settings) -> None:
    with pytest.raises(TableContractError, match=r"temporal_2024-03-01.*leaves no interaction"):
        build(landed, settings, tiny_world.DS, "temporal:2024-03-01")
