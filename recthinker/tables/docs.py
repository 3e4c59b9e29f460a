"""docs/tables.md from the contracts and docs/checks.md from sql/checks: `python -m recthinker.tables.docs` writes
them, a test fails when they drift.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from recthinker.tables import schemas
from recthinker.tables.check_files import Check, read_checks
from recthinker.tables.schemas import Column, Table

TABLES_PATH = Path("docs/tables.md")
CHECKS_PATH = Path("docs/checks.md")
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


CHECKS_INTRODUCTION = """# Checks

Statements of `sql/checks` that return the rows that break a rule. Rows of D are checked after they were written aside
and before they are published: a check that stops keeps all of them back, one that warns is told in `table_status` and
on the nightly page. `<table>_before`: rows of the date built before D; without them the check is skipped. `row_counts`:
rows of D by table. Generated from `sql/checks` by `python -m recthinker.tables.docs`: change it there.
"""
CHECKS_SECTIONS = ("Landing tables, before a build", "Rows of D, before they are published")


def render_tables() -> str:
    """docs/tables.md as Markdown."""
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


def render_checks() -> str:
    """docs/checks.md as Markdown."""
    checks = read_checks()
    landing = [check for check in checks if check.is_landing]
    of_a_date = [check for check in checks if not check.is_landing]
    sections = zip(CHECKS_SECTIONS, (landing, of_a_date), strict=True)
    return "\n".join([CHECKS_INTRODUCTION, *(_check_section(title, rows) for title, rows in sections)])


def _check_section(title: str, checks: Sequence[Check]) -> str:
    head = [f"## {title}", "", "| check | finding | reads | rule |", "|---|---|---|---|"]
    return "\n".join([*head, *map(_check, checks)]) + "\n"


def _check(check: Check) -> str:
    finding = "stops" if check.severity == "stop" else "warns"
    reads = ", ".join(f"`{frame}`" for frame in check.frames)
    return f"| `{check.name}` | {finding} | {reads} | {check.rule} |"


def main() -> None:
    """Write the pages."""
    for path, page in ((TABLES_PATH, render_tables()), (CHECKS_PATH, render_checks())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
