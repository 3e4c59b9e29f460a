"""`table_status`, written and read without Spark."""

import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deltalake import DeltaTable

from recthinker.tables.arrow import read_arrow
from recthinker.tables.schemas import TABLE_STATUS
from recthinker.tables.status import TableStatus, read_status, write_status

ROW = TableStatus(
    ds="2024-03-01",
    table="user_history",
    run_id="r1",
    built_at=datetime(2024, 3, 2, 3, 30, tzinfo=UTC),
    hours_late=3.5,
    built="incremental",
    base_ds="2024-02-29",
    definition="0123456789abcdef",
    inputs={"interactions": 4, "items": 2},
    version=7,
    rows=12,
    events=100,
    late_events=3,
    newest_event=datetime(2024, 3, 1, 23, 59, 59, tzinfo=UTC),
    seconds=1.5,
    warnings=["null_titles: 2 rows"],
)
BARE = replace(ROW, table="item_relation", built="full", base_ds=None, events=None, late_events=None, newest_event=None)


def test_nothing_built_has_no_rows(tmp_path: Path) -> None:
    assert read_status(tmp_path) == []


def test_rows_come_back_as_written(tmp_path: Path) -> None:
    later = replace(ROW, ds="2024-03-02")
    for row in (later, ROW, BARE):
        write_status(tmp_path, row)
    assert read_status(tmp_path) == [BARE, ROW, later]
    assert read_status(tmp_path, "2024-03-02") == [later]
    assert read_status(tmp_path, "2024-03-03") == []
    assert read_arrow(tmp_path, TABLE_STATUS).schema.equals(TABLE_STATUS.arrow_schema())


def test_a_row_takes_the_place_of_that_of_its_date_and_table(tmp_path: Path) -> None:
    for row in (ROW, BARE, replace(ROW, ds="2024-03-02")):
        write_status(tmp_path, row)
    again = replace(ROW, run_id="r2", rows=13)
    write_status(tmp_path, again)
    assert read_status(tmp_path) == [BARE, again, replace(ROW, ds="2024-03-02")]


def test_a_write_is_one_commit_with_the_run(tmp_path: Path) -> None:
    write_status(tmp_path, ROW)
    before = DeltaTable(tmp_path / "table_status").version()
    write_status(tmp_path, replace(ROW, run_id="r2"))
    newest = DeltaTable(tmp_path / "table_status").history(1)[0]
    assert newest["version"] == before + 1
    assert newest["userMetadata"] == "r2"


def test_a_date_stays_one_file(tmp_path: Path) -> None:
    for n in range(5):
        write_status(tmp_path, replace(ROW, table=f"t{n}"))
    assert len(DeltaTable(tmp_path / "table_status").file_uris()) == 1


def _write_some(root: Path, writer: int) -> None:
    for n in range(4):
        write_status(root, replace(ROW, ds=f"2024-03-0{1 + n % 2}", table=f"t{writer}{n}"))


@pytest.mark.slow
def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_some, args=(tmp_path, writer)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert {row.table for row in read_status(tmp_path)} == {f"t{writer}{n}" for writer in range(3) for n in range(4)}
