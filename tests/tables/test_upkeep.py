"""The upkeep of one table: dates, versions, orphans, small files; tables are built without Spark."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from recthinker.features.inputs import same_events
from recthinker.settings import RetentionSettings
from recthinker.tables import schemas
from recthinker.tables.arrow import open_table, table_dates
from recthinker.tables.create import create_table
from recthinker.tables.log import date_changes
from recthinker.tables.pins import LOG_RETENTION, Pin
from recthinker.tables.schemas import INTERACTIONS, USER_HISTORY, Table
from recthinker.tables.upkeep import Upkept, keep_up
from tests.features import built_world as world

KEEP = RetentionSettings(
    keep_days=1, keep_output_days=None, vacuum_hours=168, orphan_hours=24, compact_above_files=3, compact_target_mb=1
)
DAYS = ("2024-03-01", "2024-03-02", "2024-03-03")
WEEKS = 24 * 21


def put(root: Path, ds: str) -> int:
    return world.overwrite(root, USER_HISTORY, [world.blank(USER_HISTORY, ds)], f"ds = '{ds}'")


def upkeep(root: Path, table: Table = USER_HISTORY, **how: Any) -> Upkept:
    options: dict[str, Any] = {"before": None, "pins": [], "now": datetime.now(UTC), "run_id": "u1", "dry_run": False}
    return keep_up(root, table, KEEP, **{**options, **how})


def age(root: Path, table: Table, hours: float) -> None:
    """Make all files of a table, and their removal, look `hours` older; the log files themselves stay young."""
    folder = root / table.name
    for path in (folder / "_delta_log").glob("*.json"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for action in (line["remove"] for line in lines if "remove" in line):
            action["deletionTimestamp"] -= int(hours * 3600_000)
        path.write_text("\n".join(json.dumps(line) for line in lines))
    then = time.time() - hours * 3600
    for path in [*folder.glob("[!_]*"), *folder.glob("[!_]*/**/*")]:
        os.utime(path, (then, then))


def files(root: Path, table: Table = USER_HISTORY) -> set[str]:
    return {str(path.relative_to(root / table.name)) for path in (root / table.name).glob("ds=*/**/*.parquet")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for ds in DAYS:
        put(tmp_path, ds)
    return tmp_path


def test_old_dates_go_in_one_commit_and_needed_ones_stay(root: Path) -> None:
    done = upkeep(root, before="2024-03-03", needed=["2024-03-01"])
    assert done.dates == ["2024-03-02"]
    assert table_dates(root, USER_HISTORY) == ["2024-03-01", "2024-03-03"]
    assert DeltaTable(root / "user_history").version() == 3
    assert upkeep(root, before="2024-03-03", needed=["2024-03-01"]).dates == []


def test_pinned_date_stays(root: Path) -> None:
    pin = Pin(root, "user_history", 1, "model m/1", ds="2024-03-02")
    assert upkeep(root, before="2024-03-03", pins=[pin]).dates == ["2024-03-01"]


def test_dry_run_tells_and_changes_nothing(root: Path) -> None:
    put(root, "2024-03-03")
    age(root, USER_HISTORY, WEEKS)
    before = files(root)
    done = upkeep(root, before="2024-03-03", dry_run=True)
    assert (done.dates, len(done.unneeded.replaced)) == (["2024-03-01", "2024-03-02"], 1)
    assert files(root) == before
    assert DeltaTable(root / "user_history").version() == 3


def test_replaced_files_go_when_they_are_old(root: Path) -> None:
    (replaced,) = (path for path in files(root) if "2024-03-03" in path)
    put(root, "2024-03-03")
    assert upkeep(root).unneeded.replaced == ()
    age(root, USER_HISTORY, WEEKS)
    assert upkeep(root).unneeded.replaced == (replaced,)
    assert replaced not in files(root)
    assert open_table(root, USER_HISTORY).to_pyarrow_table().num_rows == 3


def test_pinned_version_stays_readable_however_old(root: Path) -> None:
    put(root, "2024-03-03")
    put(root, "2024-03-03")
    age(root, USER_HISTORY, WEEKS)
    done = upkeep(root, before="2024-03-03", pins=[Pin(root, "user_history", 2, "model m/1", whole=True)])
    assert done.pinned == 1
    assert len(done.unneeded.replaced) == 1
    assert open_table(root, USER_HISTORY, version=2).to_pyarrow_table().num_rows == 3
    with pytest.raises(OSError, match="user_history"):
        open_table(root, USER_HISTORY, version=3).to_pyarrow_table()


def test_night_keeps_the_rows_of_its_date_alone(root: Path) -> None:
    for ds in DAYS[1:]:
        put(root, ds)
    age(root, USER_HISTORY, WEEKS)
    done = upkeep(root, pins=[Pin(root, "user_history", 2, "night", ds="2024-03-03")])
    assert [path.split("/")[0] for path in done.unneeded.replaced] == ["ds=2024-03-02"]
    rows = open_table(root, USER_HISTORY, version=2).to_pyarrow_table(filters=[("ds", "=", "2024-03-03")])
    assert rows.num_rows == 1


def test_pin_of_a_version_that_is_not_there_yet_counts_for_nothing(root: Path) -> None:
    done = upkeep(root, pins=[Pin(root, "user_history", 7, "model m/1")])
    assert (done.pinned, done.notes) == (0, [])


def test_version_whose_log_is_gone_is_told_and_stops_nothing(root: Path) -> None:
    DeltaTable(root / "user_history").create_checkpoint()
    for version in (0, 1):
        (root / "user_history" / "_delta_log" / f"{version:020}.json").unlink()
    done = upkeep(root, before="2024-03-02", pins=[Pin(root, "user_history", 1, "model m/1")])
    assert done.notes == ["version 1 cannot be read any more (needed by model m/1)"]
    assert done.dates == ["2024-03-01"]


def test_left_behind_files_go_with_their_folders_and_young_ones_stay(root: Path) -> None:
    run = root / "user_history" / "ds=2024-03-03" / "r1-abc"
    temporary = run / "_temporary" / "0"
    temporary.mkdir(parents=True)
    for path in (run / "part-0.parquet", run / "_SUCCESS", temporary / "part-1.parquet"):
        path.write_text("x")
    live = files(root) - {str(path.relative_to(root / "user_history")) for path in run.rglob("*.parquet")}
    assert upkeep(root).unneeded.orphans == ()
    age(root, USER_HISTORY, 25)
    young = root / "user_history" / "ds=2024-03-03" / "r2-abc" / "part-0.parquet"
    young.parent.mkdir()
    young.write_text("x")
    assert len(upkeep(root).unneeded.orphans) == 3
    assert not run.exists()
    assert files(root) == live | {"ds=2024-03-03/r2-abc/part-0.parquet"}


def test_file_replaced_two_days_ago_is_no_orphan(root: Path) -> None:
    put(root, "2024-03-03")
    age(root, USER_HISTORY, 48)
    done = upkeep(root)
    assert (done.unneeded.replaced, done.unneeded.orphans) == ((), ())


def test_log_outlives_pinned_versions(tmp_path: Path) -> None:
    create_table(tmp_path, USER_HISTORY)
    put(tmp_path, DAYS[0])
    put(tmp_path, DAYS[1])
    pins = [Pin(tmp_path, "user_history", 1, "model m/1")]
    assert upkeep(tmp_path, pins=pins, now=datetime.now(UTC) + timedelta(days=89)).notes == []
    done = upkeep(tmp_path, pins=pins, now=datetime.now(UTC) + timedelta(days=200))
    assert done.notes == ["log kept for 720 days"]
    assert DeltaTable(tmp_path / "user_history").metadata().configuration[LOG_RETENTION] == "interval 720 days"


def test_small_files_of_crowded_partitions_are_put_together_and_rows_stay_the_same(tmp_path: Path) -> None:
    world.land(tmp_path)
    for hour in range(3):
        world.append(tmp_path, INTERACTIONS, [world.event("u3", "i1", f"2024-03-01T1{hour}:00")])
    before = DeltaTable(tmp_path / "interactions").version()
    pins = [Pin(tmp_path, "interactions", before, "user_history 2024-03-03")]
    done = upkeep(tmp_path, INTERACTIONS, pins=pins)
    now = DeltaTable(tmp_path / "interactions")
    assert (done.compacted, now.version()) == (1, before + 1)
    assert len(now.file_uris()) == 3
    assert same_events(tmp_path, before, now.version(), ds="2024-03-03", grace_h=world.GRACE_H)
    assert upkeep(tmp_path, INTERACTIONS, pins=pins).compacted == 0


def test_tables_of_a_build_are_not_put_together(root: Path) -> None:
    for _ in range(5):
        world.append(root, USER_HISTORY, [world.blank(USER_HISTORY, "2024-03-03")])
    assert upkeep(root).compacted == 0


def test_putting_together_changes_no_date_for_a_plan(tmp_path: Path) -> None:
    for _ in range(4):
        world.append(tmp_path, schemas.RUN_MANIFEST, [world.blank(schemas.RUN_MANIFEST, "2024-03-03")])
    assert upkeep(tmp_path, schemas.RUN_MANIFEST).compacted == 1
    changes = date_changes(tmp_path, schemas.RUN_MANIFEST)
    assert (changes.last["2024-03-03"], changes.newest) == (3, 4)
