from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from recthinker.cli.plan import show_plan, show_range
from recthinker.cli.status import show_status
from recthinker.settings import Settings
from recthinker.tables import schemas
from recthinker.tables.status import read_status
from tests.features import built_world as world

ONE, TWO, THREE = "2024-03-01", "2024-03-02", "2024-03-03"


@pytest.fixture
def warehouse(settings: Settings) -> Path:
    """Two dates built, the second on top of the first."""
    root = settings.paths.warehouse
    world.land(root)
    world.build(root, ONE, settings.features)
    world.build(root, TWO, settings.features, base=ONE)
    return root


@pytest.fixture
def console() -> Console:
    return Console(record=True, width=150)


def lines(console: Console) -> list[str]:
    """What was printed, with single blanks."""
    return [" ".join(line.split()) for line in console.export_text().splitlines()]


def test_plan_tells_what_is_built_on_what_and_why(warehouse: Path, settings: Settings, console: Console) -> None:
    world.commit_at(
        warehouse, schemas.USERS, world.put_users(warehouse, {"u1": {}}), datetime(2024, 3, 3, 12, tzinfo=UTC)
    )
    show_plan(THREE, settings, console)
    text = lines(console)
    assert text[0] == "Features of 2024-03-03: built on 2024-03-02, 2 users changed"
    assert text[1] == "reads interactions@0, items@0, users@1, item_relations@0"
    assert "user_history build missing 1 2.0" in text
    assert "candidates build missing" in text


def test_plan_of_a_built_date_leaves_all_but_what_is_forced(
    warehouse: Path, settings: Settings, console: Console
) -> None:
    show_plan(TWO, settings, console, force={"user_history"})
    text = lines(console)
    assert text[0] == "Features of 2024-03-02: built on 2024-03-01"
    assert "user_history build forced 1 2.0" in text
    assert "user_profile up to date" in text


def test_plan_from_scratch_says_why(warehouse: Path, settings: Settings, console: Console) -> None:
    show_plan("2024-02-28", settings, console)
    assert lines(console)[0] == "Features of 2024-02-28: built from scratch (nothing was built before)"


def test_range_has_a_line_for_each_date(warehouse: Path, settings: Settings, console: Console) -> None:
    world.delete(warehouse, schemas.USER_HISTORY, f"ds = '{TWO}'")
    show_range(ONE, THREE, settings, console)
    text = lines(console)
    assert text[0] == "2 of 3 dates are to be built"
    assert text[2] == f"{ONE} up to date"
    assert text[3] == f"{TWO} build 1 of 9 rows changed since they were built: user_history 1 2.0"
    assert text[4] == f"{THREE} build 9 of 9 missing 9 18.0"


def test_status_shows_the_newest_date_of_each_table(warehouse: Path, console: Console) -> None:
    now = read_status(warehouse, TWO)[0].built_at + timedelta(hours=5)
    show_status(warehouse, now, console)
    rows = {line.split()[0]: line.split()[1:] for line in lines(console)}
    assert len(rows) == 10
    assert rows["co_interaction"][0] == TWO
    assert rows["co_interaction"][3:] == ["incremental", "on", ONE, "5.0", "h", "3.0", "1"]


def test_status_of_an_empty_place_says_what_to_do(tmp_path: Path, console: Console) -> None:
    show_status(tmp_path, datetime(2024, 3, 3, tzinfo=UTC), console)
    assert "run `recthinker nightly`" in console.export_text()
