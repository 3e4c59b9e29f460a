"""docs/tables.md from the contracts: `python -m recthinker.tables.docs` writes it, a test fails when it
drifts.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from recthinker.tables import schemas
from recthinker.tables.schemas import Column, Table

DEFAULT_PATH = Path("docs/tables.md")
INTRODUCTION = """# Tables

Delta tables under `<paths.warehouse>/<table>`. Generated from `recthinker/tables/schemas` by
`python -m recthinker.tables.docs`: change it there. Ids are strings, times are UTC with microseconds.
"""
SECTIONS = (
    ("Landing tables", schemas.LANDING),
    ("Feature tables", schemas.FEATURES),
    ("Candidates", (schemas.CANDIDATES,)),
    ("Outputs", schemas.OUTPUTS),
    ("State of builds", (*schemas.STATE, schemas.TABLE_STATUS)),
    ("Training cuts", (schemas.HELD_OUT,)),
)


def render_tables() -> str:
    """The whole page as Markdown."""
    return "\n".join([INTRODUCTION, *(_section(title, tables) for title, tables in SECTIONS)])


def _section(title: str, tables: Sequence[Table]) -> str:
    return f"## {title}\n\n" + "\n".join(_table(table) for table in tables)


def _table(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key) or "none"
    partitions = ", ".join(f"`{name}`" for name in table.partition_by) or "none"
    lines = [
        f"### {table.name}",
        "",
        f"{table.doc} Key: {key}. Partitions: {partitions}.",
        "",
        "| column | type | null | meaning |",
        "|---|---|---|---|",
        *(_column(column) for column in table.columns),
        *_constraints(table),
    ]
    return "\n".join(lines) + "\n"


def _constraints(table: Table) -> list[str]:
    if not table.constraints:
        return []
    return ["", "Delta refuses rows that break: " + "; ".join(f"`{rule}`" for _, rule in table.constraints) + "."]


def _column(column: Column) -> str:
    null = "yes" if column.nullable else "no"
    return f"| `{column.name}` | {type_name(column.type)} | {null} | {column.doc} |"


def type_name(type_: pa.DataType) -> str:
    """An Arrow type in the words of SQL (`array<struct<item_id: string, score: double>>`)."""
    if pa.types.is_list(type_):
        return f"array<{type_name(type_.value_type)}>"
    if pa.types.is_map(type_):
        return f"map<{type_name(type_.key_type)}, {type_name(type_.item_type)}>"
    if pa.types.is_struct(type_):
        return "struct<" + ", ".join(f"{field.name}: {type_name(field.type)}" for field in type_) + ">"
    names = {"int64": "bigint", "int32": "int", "float": "float", "bool": "boolean", "date32[day]": "date"}
    return "timestamp" if pa.types.is_timestamp(type_) else names.get(str(type_), str(type_))


def main() -> None:
    """Write the page."""
    DEFAULT_PATH.parent.mkdir(parents=True, exist_ok=True)
    DEFAULT_PATH.write_text(render_tables(), encoding="utf-8")
    print(f"wrote {DEFAULT_PATH}")


if __name__ == "__main__":
    main()
