from datetime import UTC, datetime
from pathlib import Path

import pytest

from recthinker.errors import TableContractError
from recthinker.features.inputs import input_versions, same_events, same_rows
from recthinker.tables import schemas
from recthinker.tables.schemas import INTERACTIONS, ITEMS, USERS
from tests.features import built_world as world
from tests.features.built_world import event

DS = "2024-03-02"
"""Its cut-off is 2024-03-03T02:00."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    world.land(tmp_path)
    return tmp_path


def same(root: Path, now: int, ds: str = DS) -> bool:
    return same_events(root, 0, now, ds=ds, grace_h=world.GRACE_H)


def test_dimensions_are_read_as_of_the_cut_off(root: Path) -> None:
    world.put_items(root, {"i1": []})
    world.put_items(root, {"i1": [], "i2": []})
    world.commit_at(root, ITEMS, 1, datetime(2024, 3, 3, 1, 59, tzinfo=UTC))
    world.commit_at(root, ITEMS, 2, datetime(2024, 3, 3, 2, 0, tzinfo=UTC))
    expected = {"interactions": 0, "items": 1, "users": 0, "item_relations": 0}
    assert input_versions(root, DS, world.GRACE_H) == expected
    assert input_versions(root, "2024-03-03", world.GRACE_H) == expected | {"items": 2}
    assert input_versions(root, "2024-02-01", world.GRACE_H) == expected | {"items": 0}


def test_date_before_the_first_commit_reads_the_newest_version(root: Path) -> None:
    world.put_users(root, {"u1": {}})
    assert input_versions(root, "2023-06-01", world.GRACE_H)["users"] == 1


def test_table_that_was_only_created_in_time_counts_as_younger(tmp_path: Path) -> None:
    from deltalake import DeltaTable

    DeltaTable.create(tmp_path / "users", USERS.arrow_schema())
    world.land(tmp_path)
    assert input_versions(tmp_path, DS, world.GRACE_H)["users"] == 1


def test_interactions_are_read_at_the_newest_version(root: Path) -> None:
    world.append(root, INTERACTIONS, [event("u1", "i3", "2024-03-09T09:00")])
    assert input_versions(root, DS, world.GRACE_H)["interactions"] == 1


def test_missing_landing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableContractError, match="table interactions is not under"):
        input_versions(tmp_path, DS, world.GRACE_H)


def test_events_of_later_days_change_nothing(root: Path) -> None:
    now = world.append(root, INTERACTIONS, [event("u1", "i3", "2024-03-03T00:00")])
    assert same(root, now)
    assert not same(root, now, "2024-03-03")


@pytest.mark.parametrize(
    ("arrived", "expected"),
    [(None, False), ("2024-03-03T01:59", False), ("2024-03-03T02:00", True), ("2024-03-09T00:00", True)],
)
def test_events_of_the_date_count_if_they_arrived_in_time(root: Path, arrived: str | None, expected: bool) -> None:
    now = world.append(root, INTERACTIONS, [event("u1", "i3", "2024-03-02T09:30", arrived)])
    assert same(root, now) is expected


def test_late_event_counts_from_the_date_within_whose_grace_it_arrived(root: Path) -> None:
    now = world.append(root, INTERACTIONS, [event("u1", "i3", "2024-03-01T09:30", "2024-03-03T02:00")])
    assert same(root, now)
    assert not same(root, now, "2024-03-03")


def test_late_and_timely_events_in_one_file_are_told_apart_by_row(root: Path) -> None:
    late = event("u1", "i3", "2024-03-02T09:30", "2024-03-05T00:00")
    day = [row for row in world.EVENTS if str(row["event_date"]) == DS]
    now = world.overwrite(root, INTERACTIONS, [*day, late], f"event_date = '{DS}'")
    assert same(root, now)
    other = event("u2", "i3", "2024-03-02T09:30")
    assert not same(root, world.overwrite(root, INTERACTIONS, [*day, late, other], f"event_date = '{DS}'"))


def test_compaction_changes_nothing(root: Path) -> None:
    before = world.append(root, INTERACTIONS, [event("u1", "i3", "2024-03-01T10:00")])
    now = world.compact(root, INTERACTIONS)
    assert same_events(root, before, now, ds=DS, grace_h=world.GRACE_H)


def test_other_source_of_the_same_rows_changes_nothing(root: Path) -> None:
    rows = [{**row, "source": "another file"} for row in world.EVENTS]
    assert same(root, world.overwrite(root, INTERACTIONS, rows))


@pytest.mark.parametrize("where", ["user_id = 'u2' and item_id = 'i1'", "event_date = '2024-03-01'"])
def test_deleted_rows_are_noticed(root: Path, where: str) -> None:
    assert not same(root, world.delete(root, INTERACTIONS, where))


def test_rows_deleted_after_the_date_are_not_its_business(root: Path) -> None:
    assert same(root, world.delete(root, INTERACTIONS, "event_date = '2024-03-03'"))


@pytest.mark.parametrize("change", [{"rating": 1.0}, {"rating": None}, {"event_type": "view"}])
def test_corrected_rows_are_noticed(root: Path, change: dict[str, object]) -> None:
    first, *others = world.EVENTS
    assert not same(root, world.overwrite(root, INTERACTIONS, [{**first, **change}, *others]))


def test_doubled_rows_are_noticed(root: Path) -> None:
    assert not same(root, world.append(root, INTERACTIONS, [world.EVENTS[0]]))


def test_version_whose_files_are_gone_is_not_the_same(root: Path) -> None:
    rows = [{**row, "source": "another file"} for row in world.EVENTS]
    now = world.overwrite(root, INTERACTIONS, rows)
    for file in (root / "interactions" / "event_date=2024-03-01").iterdir():
        file.unlink()
    assert not same(root, now)


def test_version_that_never_was_is_not_the_same(root: Path) -> None:
    assert not same_events(root, 7, 0, ds=DS, grace_h=world.GRACE_H)
    assert not same_rows(root, ITEMS, 7, 0)


def test_small_tables_are_compared_by_rows(root: Path) -> None:
    backwards = dict(reversed(world.ITEMS.items()))
    assert same_rows(root, ITEMS, 0, world.put_items(root, backwards))
    assert not same_rows(root, ITEMS, 0, world.put_items(root, backwards, title="Another"))
    assert not same_rows(root, ITEMS, 0, world.put_items(root, {"i1": ["Comedy"], "i2": ["Drama"]}))


def test_maps_are_compared_without_order(root: Path) -> None:
    before = world.put_users(root, {"u1": {"age": "20", "city": "Kyiv"}})
    now = world.put_users(root, {"u1": {"city": "Kyiv", "age": "20"}})
    assert same_rows(root, schemas.USERS, before, now)
    assert not same_rows(root, schemas.USERS, before, world.put_users(root, {"u1": {"age": "20", "city": "Rome"}}))
