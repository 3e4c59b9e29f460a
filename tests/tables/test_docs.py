"""docs/tables.md is what the contracts say."""

from pathlib import Path

import pyarrow as pa

from recthinker.tables.docs import DEFAULT_PATH, render_tables, type_name
from recthinker.tables.schemas import TABLES


def test_page_in_the_repository_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / DEFAULT_PATH
    assert page.read_text(encoding="utf-8") == render_tables(), "run `python -m recthinker.tables.docs`"


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
