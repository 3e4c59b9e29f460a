"""The build of a date: what it leaves alone, what it refuses, and what a reader finds after it failed."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from deltalake import write_deltalake

from recthinker.errors import TableContractError
from recthinker.features import Cut, build_cut, build_features, build_planned
from recthinker.features import build as build_module
from recthinker.features.plan import plan_features
from recthinker.settings import Settings
from recthinker.tables import schemas
from recthinker.tables.arrow import read_arrow
from recthinker.tables.checks import CheckResult, audit
from recthinker.tables.status import read_status
from recthinker.tables.store import TableStore
from tests import tiny_world

pytestmark = [pytest.mark.spark, pytest.mark.slow]

DAY_7, DAY_8 = "2024-03-07", "2024-03-08"


@pytest.fixture
def landed(tiny_store: TableStore, settings: Settings) -> TableStore:
    """A copy of the landing tables that this test may write beside."""
    shutil.copytree(tiny_store.root, settings.paths.warehouse)
    return TableStore(settings.paths.warehouse, tiny_store.spark)


def rows_of(store: TableStore, table: schemas.Table, ds: str) -> list[str]:
    return sorted(map(str, store.read(table).where(f"ds = '{ds}'").collect()))


def test_build_writes_and_records_all_tables_then_finds_them_up_to_date(landed: TableStore, settings: Settings) -> None:
    first = build_features(landed, DAY_7, settings.features, run_id="one")

    assert set(first.rows) == {table.name for table in (*schemas.FEATURES, *schemas.STATE)}
    assert first.rows["user_profile"] == len(rows_of(landed, schemas.USER_PROFILE, DAY_7)) == 12
    recorded = {row.table: row for row in read_status(landed.root, DAY_7)}
    assert {name: row.rows for name, row in recorded.items()} == first.rows
    # 51 of the 72 events are of the first seven days.
    known = sum(str(row["event_date"]) <= DAY_7 for row in tiny_world.interactions())
    assert recorded["user_profile"].events == known
    plan = plan_features(landed.root, DAY_7, settings.features)
    again = build_planned(plan, settings.features, run_id="two", open_store=lambda: pytest.fail("nothing needs Spark"))
    assert (again.rows, str(again)) == ({}, "up to date, nothing to build")
    assert recorded == {row.table: row for row in read_status(landed.root, DAY_7)}


def test_failed_check_leaves_all_published_rows(
    landed: TableStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_features(landed, DAY_7, settings.features, run_id="one")
    before = {table.name: rows_of(landed, table, DAY_7) for table in schemas.FEATURES}

    def refuse(*_: object) -> None:
        raise TableContractError("1 of 1 checks failed")

    monkeypatch.setattr(build_module, "_check", refuse)
    with pytest.raises(TableContractError, match="checks failed"):
        build_features(landed, DAY_7, settings.features, run_id="two", force=["user_history"])
    with pytest.raises(TableContractError, match="checks failed"):
        build_features(landed, DAY_8, settings.features, run_id="two")

    assert {table.name: rows_of(landed, table, DAY_7) for table in schemas.FEATURES} == before
    assert not any(rows_of(landed, table, DAY_8) for table in schemas.FEATURES)
    folders = {path.name for path in Path(landed.path(schemas.USER_HISTORY)).glob("ds=*/*") if path.is_dir()}
    assert all(name.startswith("one") for name in folders)  # what lay aside is gone


def test_a_plan_is_refused_where_another_run_published_the_date_meanwhile(
    landed: TableStore, settings: Settings
) -> None:
    plan = plan_features(landed.root, DAY_7, settings.features)
    build_features(landed, DAY_7, settings.features, run_id="one")
    before = {table.name: rows_of(landed, table, DAY_7) for table in schemas.FEATURES}
    with pytest.raises(TableContractError, match="another run published this date"):
        build_planned(plan, settings.features, run_id="two", open_store=lambda: landed)
    assert {table.name: rows_of(landed, table, DAY_7) for table in schemas.FEATURES} == before


def test_only_what_is_asked_for_is_built_again(landed: TableStore, settings: Settings) -> None:
    build_features(landed, DAY_7, settings.features, run_id="one")
    before = rows_of(landed, schemas.USER_PROFILE, DAY_7)

    again = build_features(landed, DAY_7, settings.features, run_id="two", force=["user_profile"])

    assert list(again.rows) == ["user_profile"]
    assert rows_of(landed, schemas.USER_PROFILE, DAY_7) == before


def test_build_before_the_first_event_writes_nothing(landed: TableStore, settings: Settings) -> None:
    with pytest.raises(TableContractError, match=r"ds 2024-02-29.*first event is of 2024-03-01"):
        build_features(landed, "2024-02-29", settings.features, run_id="test")

    assert not Path(landed.path(schemas.USER_PROFILE)).exists()


def cut(landed: TableStore, settings: Settings, text: str) -> dict[str, int]:
    where = {"cuts_root": settings.paths.cuts, "ds": tiny_world.DS, "run_id": "test"}
    return build_cut(landed, Cut.parse(text), settings=settings.features, **where)


def test_build_cuts_lie_apart_hold_no_target_and_are_built_once(landed: TableStore, settings: Settings) -> None:
    rows = cut(landed, settings, "holdout_last:1")

    assert rows["held_out"] == 12
    assert not Path(landed.path(schemas.USER_PROFILE)).exists()
    last = TableStore(settings.paths.cut("holdout_last_1"), landed.spark)
    profiles = {row.user_id: row for row in last.read(schemas.USER_PROFILE, ds=tiny_world.DS).collect()}
    assert profiles["u01"].interaction_count == 6
    assert "u12" not in profiles
    assert cut(landed, settings, "holdout_last:1") == {}


def test_build_cut_that_leaves_nothing(landed: TableStore, settings: Settings) -> None:
    with pytest.raises(TableContractError, match=r"temporal_2024-03-01.*leaves no interaction"):
        cut(landed, settings, "temporal:2024-03-01")


def test_a_night_counts_its_events_on_top_of_those_before(landed: TableStore, settings: Settings) -> None:
    build_features(landed, DAY_7, settings.features, run_id="one")
    build_features(landed, DAY_8, settings.features, run_id="two")

    row = next(row for row in read_status(landed.root, DAY_8) if row.table == "user_state")
    known = [row["event_time"] for row in tiny_world.interactions() if str(row["event_date"]) <= DAY_8]
    assert row.base_ds == DAY_7
    assert (row.events, row.newest_event) == (len(known), max(known))


def test_landing_tables_are_checked_again_where_they_changed_only(
    landed: TableStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_features(landed, DAY_7, settings.features, run_id="one")
    asked: list[set[str]] = []

    def heard(*args: Any, names: Sequence[str]) -> list[CheckResult]:
        asked.append(set(names))
        return audit(*args, names=names)

    monkeypatch.setattr(build_module, "audit", heard)
    build_features(landed, DAY_8, settings.features, run_id="two")
    assert asked.pop(0).isdisjoint({"items_twice", "users_without_id", "item_relations_twice"})

    write_deltalake(landed.path(schemas.ITEMS), read_arrow(landed.root, schemas.ITEMS), mode="append")
    with pytest.raises(TableContractError, match="items_twice"):
        build_features(landed, "2024-03-09", settings.features, run_id="three")
    assert "users_without_id" not in asked[-1]


def test_tables_may_lie_behind_a_uri(landed: TableStore, settings: Settings) -> None:
    store = TableStore(f"file://{landed.root}", landed.spark)
    build_features(store, DAY_7, settings.features, run_id="one")
    night = build_features(store, DAY_8, settings.features, run_id="two")

    assert night.plan.base is not None
    assert night.plan.base.ds == DAY_7
    # The same folder by its path: what was written there is what the paths' own build would have written.
    plan = plan_features(landed.root, DAY_8, settings.features)
    assert plan.to_build == ()
    by_uri = {table.name: rows_of(store, table, DAY_8) for table in schemas.FEATURES}
    forced = [table.name for table in (*schemas.FEATURES, *schemas.STATE)]
    build_features(landed, DAY_8, settings.features, run_id="three", force=forced)
    assert {table.name: rows_of(landed, table, DAY_8) for table in schemas.FEATURES} == by_uri
