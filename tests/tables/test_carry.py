"""Rows carried on to a later date: none lost, none twice, and those left out where they can be read."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recthinker.tables.carry import SMALL_BYTES, Carried, DataFile, _grouped, carry, data_files
from recthinker.tables.publishing import publish, stage
from recthinker.tables.schemas import SIMILAR_USERS
from recthinker.tables.spark import spark_schema
from recthinker.tables.store import TableStore

pytestmark = pytest.mark.spark

DAY_1, DAY_2 = "2024-03-01", "2024-03-02"
USERS = [f"u{n:02d}" for n in range(9)]


@pytest.fixture
def published(store: TableStore) -> TableStore:
    """A date of nine users in two files."""
    rows = [(DAY_1, user, [("u99", 0.5)]) for user in USERS]
    frame = store.spark.createDataFrame(rows, spark_schema(SIMILAR_USERS)).repartition(2, "user_id")
    publish(store, stage(store, SIMILAR_USERS, frame, ds=DAY_1, run="first"), run_id="first", after=0)
    return store


def carried(store: TableStore, changed: list[str]) -> Carried:
    files = data_files(store.root, SIMILAR_USERS, DAY_1)
    assert len(files) == 2
    users = pa.array(changed, pa.string())
    return carry(store.spark, store.path(SIMILAR_USERS), files, key="user_id", changed=users, ds=DAY_2, run="second")


def users_of(store: TableStore, paths: list[str]) -> list[str]:
    root = Path(store.path(SIMILAR_USERS))
    tables = [pq.read_table(root / path, partitioning=None) for path in paths]
    assert all(table["user_id"].to_pylist() == sorted(table["user_id"].to_pylist()) for table in tables)
    return sorted(user for table in tables for user in table["user_id"].to_pylist())


@pytest.mark.parametrize("changed", [[], ["u03"], ["u00", "u08", "unknown"], USERS])
def test_each_row_is_either_carried_or_taken(changed: list[str], published: TableStore) -> None:
    found = carried(published, changed)

    assert users_of(published, [file.path for file in found.files]) == [user for user in USERS if user not in changed]
    assert users_of(published, list(found.taken)) == [user for user in USERS if user in changed]
    assert all(file.is_carried and file.partition == {"ds": DAY_2} for file in found.files)
    assert sum(file.rows for file in found.files) == len(set(USERS) - set(changed))


def test_nothing_to_carry_is_nothing(published: TableStore) -> None:
    found = carry(
        published.spark,
        published.path(SIMILAR_USERS),
        [],
        key="user_id",
        changed=pa.array(["u01"]),
        ds=DAY_2,
        run="second",
    )

    assert found == Carried((), ())


def test_files_are_put_together_but_leave_work_for_each_task() -> None:
    large = [DataFile(f"large{n}", SMALL_BYTES) for n in range(3)]
    many = [DataFile(f"f{n}", SMALL_BYTES - 1) for n in range(32)]
    small = [replace(file, size=SMALL_BYTES // 16) for file in many]

    assert [len(group) for group in _grouped(large, 1)] == [1, 1, 1]
    assert [len(group) for group in _grouped(many, 2)] == [6, 6, 6, 6, 6, 2]
    assert len(_grouped(many, 16)) == 16
    assert [len(group) for group in _grouped(small, 16)] == [16, 16]
    both = [*many, *large]
    assert sorted(path for group in _grouped(both, 3) for path in group) == sorted(file.path for file in both)
