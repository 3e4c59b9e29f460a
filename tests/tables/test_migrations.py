"""Migrations on tables that another release made; the contracts here are the tests' own."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from recthinker.errors import TableContractError
from recthinker.tables.arrow import read_arrow
from recthinker.tables.create import create_table
from recthinker.tables.migrations import MIGRATIONS, PROPERTY, Migration, migrate, pending
from recthinker.tables.schemas import LONG, RUN_MANIFEST, STRING, TABLES, Column, Table
from recthinker.tables.schemas.base import STRINGS
from recthinker.tables.schemas.base import rows as rows_type
from tests.features.built_world import blank

BEFORE = Table("clicks", "Clicks.", ("user_id",), (), (Column("user_id", STRING, "user"),))
NOW = replace(
    BEFORE,
    columns=(
        *BEFORE.columns,
        Column("times", LONG, "how often", nullable=True),
        Column("tags", pa.map_(STRING, LONG), "tags", nullable=True),
    ),
    constraints=(("times_from_0", "times IS NULL OR times >= 0"),),
)
COLUMNS = Migration(1, NOW, "counted", columns=("times", "tags"))
RULE = Migration(2, NOW, "no debts", constraints=("times_from_0",))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    create_table(tmp_path, BEFORE)
    write_deltalake(tmp_path / "clicks", pa.table({"user_id": ["u1"]}, schema=BEFORE.arrow_schema()), mode="append")
    return tmp_path


def write(root: Path, times: int) -> None:
    row = {"user_id": "u2", "times": times, "tags": [("a", 1)]}
    write_deltalake(root / "clicks", pa.Table.from_pylist([row], schema=NOW.arrow_schema()), mode="append")


def rows(root: Path) -> list[dict[str, object]]:
    return DeltaTable(root / "clicks").to_pyarrow_table().select(["user_id", "times"]).sort_by("user_id").to_pylist()


def test_table_of_another_release_is_refused_with_its_differences(root: Path) -> None:
    with pytest.raises(TableContractError, match=r"missing: times; missing: tags.*`recthinker migrate`"):
        create_table(root, NOW)


def test_columns_and_constraints_are_added_in_order_and_recorded(root: Path) -> None:
    steps = migrate([root], [RULE, COLUMNS])
    assert [step.migration.number for step in steps] == [1, 2]
    assert steps[0].change == "add column times, add column tags"
    create_table(root, NOW)
    write(root, 3)
    assert rows(root) == [{"user_id": "u1", "times": None}, {"user_id": "u2", "times": 3}]
    with pytest.raises(Exception, match="Invalid data"):
        write(root, -1)
    assert DeltaTable(root / "clicks").metadata().configuration[PROPERTY] == "2"


def test_migrating_again_does_nothing(root: Path) -> None:
    migrate([root], [COLUMNS, RULE])
    version = DeltaTable(root / "clicks").version()
    assert migrate([root], [COLUMNS, RULE]) == []
    assert DeltaTable(root / "clicks").version() == version


def test_listing_what_is_to_be_done_changes_nothing(root: Path, tmp_path: Path) -> None:
    assert len(pending([root, tmp_path / "elsewhere"], [COLUMNS])) == 1
    assert DeltaTable(root / "clicks").version() == 1


CALLED = replace(BEFORE, columns=(*BEFORE.columns, Column("calls", rows_type(name=STRING), "calls")))
KEYED = replace(BEFORE, columns=(*BEFORE.columns, Column("calls", rows_type(name=STRING, keys=STRINGS), "calls")))


def test_fields_are_added_to_a_nested_column_and_are_null_in_the_rows_that_are_there(tmp_path: Path) -> None:
    create_table(tmp_path, CALLED)
    before = pa.Table.from_pylist([{"user_id": "u1", "calls": [{"name": "a"}]}], schema=CALLED.arrow_schema())
    write_deltalake(tmp_path / "clicks", before, mode="append")
    keys = Migration(1, KEYED, "a call tells its keys", columns=("calls",))

    assert [step.change for step in migrate([tmp_path], [keys])] == ["add fields to column calls"]
    assert migrate([tmp_path], [keys]) == []
    create_table(tmp_path, KEYED)
    row = {"user_id": "u2", "calls": [{"name": "b", "keys": ["k"]}]}
    write_deltalake(tmp_path / "clicks", pa.Table.from_pylist([row], schema=KEYED.arrow_schema()), mode="append")
    DeltaTable(tmp_path / "clicks").optimize.compact()
    found = DeltaTable(tmp_path / "clicks").to_pyarrow_table().sort_by("user_id").to_pylist()
    assert found == [{"user_id": "u1", "calls": [{"name": "a", "keys": None}]}, row]


def test_fields_that_are_not_the_last_ones_are_another_type(tmp_path: Path) -> None:
    create_table(tmp_path, CALLED)
    other = replace(BEFORE, columns=(*BEFORE.columns, Column("calls", rows_type(keys=STRINGS, name=STRING), "calls")))
    with pytest.raises(TableContractError, match="other type: calls"):
        migrate([tmp_path], [Migration(1, other, "turned round", columns=("calls",))])


def test_rows_that_break_a_new_constraint_are_told_and_stay(root: Path) -> None:
    migrate([root], [COLUMNS])
    write(root, -1)
    with pytest.raises(TableContractError, match=r"migration 2 of table clicks.*times >= 0"):
        migrate([root], [COLUMNS, RULE])
    assert len(rows(root)) == 2


def test_column_that_may_not_be_null_cannot_be_added(root: Path) -> None:
    full = replace(NOW, columns=(*BEFORE.columns, Column("times", LONG, "how often")))
    with pytest.raises(TableContractError, match="may be null, found times"):
        migrate([root], [Migration(1, full, "counted", columns=("times",))])


def test_removed_column_or_other_type_is_refused_with_what_to_do(tmp_path: Path) -> None:
    create_table(tmp_path, NOW)
    with pytest.raises(TableContractError, match=r"not in the contract: times.*remove the table's folder"):
        create_table(tmp_path, BEFORE)
    other = replace(NOW, columns=(*BEFORE.columns, Column("times", STRING, "how often"), NOW.columns[2]))
    with pytest.raises(TableContractError, match="times should be string, found long"):
        migrate([tmp_path], [Migration(1, other, "words")])


def test_migrations_are_numbered_once_and_name_what_contracts_have() -> None:
    assert [migration.number for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
    for migration in MIGRATIONS:
        assert migration.table is TABLES[migration.table.name]
        assert set(migration.columns) <= set(migration.table.column_names)
        assert set(migration.constraints) <= {name for name, _ in migration.table.constraints}


def test_every_constraint_of_a_contract_has_a_migration() -> None:
    added = {(one.table.name, name) for one in MIGRATIONS for name in one.constraints}
    # The table rollouts has had all of its own from the start.
    older = [table for table in TABLES.values() if table.name != "rollouts"]
    assert added == {(table.name, name) for table in older for name, _ in table.constraints}


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_a_table_made_from_a_contract_keeps_it(tmp_path: Path, table: Table) -> None:
    create_table(tmp_path, table)
    version = DeltaTable(tmp_path / table.name).version()
    create_table(tmp_path, table)
    assert DeltaTable(tmp_path / table.name).version() == version == bool(table.constraints)
    assert pending([tmp_path]) == []


def test_manifest_of_an_earlier_release_reads_as_null_before_and_after_its_migration(tmp_path: Path) -> None:
    before = replace(RUN_MANIFEST, columns=tuple(c for c in RUN_MANIFEST.columns if c.name != "metrics"))
    row = {**blank(before, "2024-03-01"), "run_id": "r1"}
    del row["item_id"]
    create_table(tmp_path, before)
    rows = pa.Table.from_pylist([row], schema=before.arrow_schema())
    write_deltalake(tmp_path / "run_manifest", rows, mode="append", partition_by=["ds"])
    old = read_arrow(tmp_path, RUN_MANIFEST)
    assert old.schema.equals(RUN_MANIFEST.arrow_schema())
    assert old["metrics"].to_pylist() == [None]

    assert [step.change for step in migrate([tmp_path])] == ["add column metrics"]

    newer = pa.Table.from_pylist([{**row, "run_id": "r2", "metrics": [("seconds", 2.0)]}], RUN_MANIFEST.arrow_schema())
    write_deltalake(tmp_path / "run_manifest", newer, mode="append", partition_by=["ds"])
    found = read_arrow(tmp_path, RUN_MANIFEST, columns=("run_id", "metrics")).sort_by("run_id").to_pylist()
    assert found == [{"run_id": "r1", "metrics": None}, {"run_id": "r2", "metrics": [("seconds", 2.0)]}]
