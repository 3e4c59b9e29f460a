"""Which dates commits changed, as the log of real small tables tells it."""

from pathlib import Path

import pytest
from deltalake import DeltaTable

from recthinker.tables.log import date_changes
from recthinker.tables.schemas import USER_HISTORY
from tests.features import built_world as world

ONE, TWO = "2024-03-01", "2024-03-02"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Version 0 writes one date, version 1 the next."""
    for ds in (ONE, TWO):
        world.overwrite(tmp_path, USER_HISTORY, [world.blank(USER_HISTORY, ds)], f"ds = '{ds}'")
    return tmp_path


def there(root: Path, ds: str, version: int, rows: int = 1) -> bool:
    return date_changes(root, USER_HISTORY).still_there(ds, version, rows)


def test_commits_to_other_dates_leave_a_date_as_it_was(root: Path) -> None:
    assert date_changes(root, USER_HISTORY).last == {ONE: 0, TWO: 1}
    assert there(root, ONE, 0)
    assert there(root, TWO, 1)
    assert not there(root, ONE, 1)


def test_a_date_written_again_is_another(root: Path) -> None:
    world.overwrite(root, USER_HISTORY, [world.blank(USER_HISTORY, ONE)], f"ds = '{ONE}'")
    assert not there(root, ONE, 0)
    assert there(root, ONE, 2)


def test_a_date_that_was_deleted_is_gone(root: Path) -> None:
    world.delete(root, USER_HISTORY, f"ds = '{ONE}'")
    assert not there(root, ONE, 0)
    assert there(root, TWO, 1)


def test_compaction_leaves_a_date_as_it_was(root: Path) -> None:
    world.append(root, USER_HISTORY, [world.blank(USER_HISTORY, TWO) | {"user_id": "u9"}])
    world.compact(root, USER_HISTORY)
    assert there(root, TWO, 2)


def test_a_date_older_than_the_log_is_there_if_nothing_since_changed_it(root: Path) -> None:
    table = DeltaTable(root / "user_history")
    table.create_checkpoint()
    (root / "user_history" / "_delta_log" / f"{0:020}.json").unlink()
    assert there(root, ONE, 0)
    world.delete(root, USER_HISTORY, f"ds = '{ONE}'")
    assert not there(root, ONE, 0)


def test_an_empty_date_needs_no_commit_of_its_own(root: Path) -> None:
    assert there(root, "2024-03-03", 1, rows=0)
    assert not there(root, "2024-03-03", 1, rows=5)
    world.append(root, USER_HISTORY, [world.blank(USER_HISTORY, "2024-03-03")])
    assert not there(root, "2024-03-03", 1, rows=0)


def test_without_a_table_nothing_is_there(tmp_path: Path) -> None:
    assert date_changes(tmp_path, USER_HISTORY).last == {}
    assert not there(tmp_path, ONE, 0)
    assert not there(tmp_path, ONE, 0, rows=0)
