"""docs/tables.md is what the contracts say, docs/checks.md what sql/checks says."""

from pathlib import Path

import pyarrow as pa

from recthinker.tables.check_files import read_checks
from recthinker.tables.docs import CHECKS_PATH, TABLES_PATH, render_checks, render_tables, type_name
from recthinker.tables.schemas import TABLES

ROOT = Path(__file__).parents[2]


def test_pages_in_the_repository_are_up_to_date() -> None:
    for path, page in ((TABLES_PATH, render_tables()), (CHECKS_PATH, render_checks())):
        assert (ROOT / path).read_text(encoding="utf-8") == page, "run `python -m recthinker.tables.docs`"


def test_checks_page_tells_each_check_once() -> None:
    lines = render_checks().splitlines()
    for check in read_checks():
        told = [line for line in lines if line.startswith(f"| `{check.name}` |")]
        assert len(told) == 1
        assert told[0].endswith(f" {check.rule} |")
    row_counts = next(line for line in lines if line.startswith("| `rows_jumped` |"))
    assert row_counts.startswith("| `rows_jumped` | warns | `row_counts`, `table_status` | A table has 150 %")


def test_page_names_every_table_and_column_once_a_table() -> None:
    page = render_tables()
    for table in TABLES.values():
        section = page.split(f"### {table.name}\n")[1].split("\n### ")[0]
        for column in table.column_names:
            assert section.count(f"\n| `{column}` |") == 1


def test_type_names_are_those_of_sql() -> None:
    rows = pa.list_(pa.struct([pa.field("item_id", pa.string()), pa.field("score", pa.float64())]))
    assert type_name(rows) == "array<struct<item_id: string, score: double>>"
    assert type_name(pa.map_(pa.string(), pa.int64())) == "map<string, bigint>"
    assert type_name(pa.timestamp("us", tz="UTC")) == "timestamp"
