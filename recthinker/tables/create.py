"""The making of tables from their contracts, and whether one that is there still has the contract's columns."""

import json
from typing import Any

from deltalake import DeltaTable, Schema

from recthinker.errors import TableContractError
from recthinker.tables.arrow import Root, table_location
from recthinker.tables.schemas import LANDING, OUTPUTS, Table

TABLE_PROPERTIES = {
    # delta-rs and pyarrow readers cannot read deletion vectors.
    "delta.enableDeletionVectors": "false",
    # A model's training snapshot must stay readable for longer than the defaults of 7 and 30 days.
    "delta.deletedFileRetentionDuration": "interval 180 days",
    "delta.logRetentionDuration": "interval 180 days",
}
CONSTRAINT = "delta.constraints."
"""What the property of a constraint begins with."""


def create_table(root: Root, table: Table) -> None:
    """An empty table with the contract's columns and constraints, where there is none; null checks are part of its
    schema. A table that has rows is given no new constraint: that is what migrations are for.

    Raises:
        TableContractError: there is one with other columns.
    """
    delta = DeltaTable.create(
        table_location(root, table),
        table.arrow_schema(),
        mode="ignore",
        partition_by=list(table.partition_by),
        configuration=TABLE_PROPERTIES,
    )
    require_columns(table, delta)
    missing = missing_constraints(table, delta)
    if missing and not delta.file_uris():
        delta.alter.add_constraint(missing)


def missing_constraints(table: Table, delta: DeltaTable) -> dict[str, str]:
    """The contract's constraints that a table does not have."""
    held = delta.metadata().configuration
    return {name: rule for name, rule in table.constraints if f"{CONSTRAINT}{name}" not in held}


def incomplete_columns(table: Table, delta: DeltaTable) -> list[str]:
    """The contract's columns that a table does not have, or that lack only fields, which may then be added."""
    found = column_types(delta.schema())
    expected = column_types(Schema.from_arrow(table.arrow_schema()))
    return [name for name, type_ in expected.items() if name not in found or _lacks_fields(type_, found[name])]


def _lacks_fields(expected: Any, found: Any) -> bool:
    """Whether `found` is `expected`, a list of structs, without some of its last fields."""
    if not (isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys()):
        return False
    if expected["type"] == "array":
        return _lacks_fields(expected["elementType"], found["elementType"])
    if expected["type"] != "struct":
        return False
    held = found["fields"]
    return len(held) < len(expected["fields"]) and expected["fields"][: len(held)] == held


def require_columns(table: Table, delta: DeltaTable) -> None:
    """Make sure that a table has exactly the contract's columns and types; nulls are a matter of each write.

    Raises:
        TableContractError: it has others; what to do is said.
    """
    expected, found = column_types(Schema.from_arrow(table.arrow_schema())), column_types(delta.schema())
    faults = [f"missing: {name}" for name in expected if name not in found]
    faults += [f"not in the contract: {name}" for name in found if name not in expected]
    faults += [
        f"other type: {name} should be {_told(type_)}, found {_told(found[name])}"
        for name, type_ in expected.items()
        if name in found and found[name] != type_
    ]
    if faults:
        raise TableContractError(
            f"table {table.name} at {delta.table_uri} was made by another release; {'; '.join(faults)}. "
            f"Run `recthinker migrate`. {remedy(table)}"
        )


def remedy(table: Table) -> str:
    """What helps where no migration does."""
    if table in (*LANDING, *OUTPUTS):
        return "What it does not know needs a written migration (recthinker.tables.migrations): these rows stay"
    return "What it does not know: remove the table's folder, and the next build makes the table anew"


def column_types(schema: Schema) -> dict[str, Any]:
    """Types by column, without what is said of nulls."""
    return {field["name"]: _bare(field["type"]) for field in json.loads(schema.to_json())["fields"]}


def _bare(type_: Any) -> Any:
    """A type of the Delta log without nullability and metadata."""
    if not isinstance(type_, dict):
        return type_
    inner = {name: _bare(value) for name, value in type_.items() if name not in ("containsNull", "valueContainsNull")}
    if "fields" in inner:
        inner["fields"] = [{"name": field["name"], "type": _bare(field["type"])} for field in inner["fields"]]
    return inner


def _told(type_: Any) -> str:
    return type_ if isinstance(type_, str) else json.dumps(type_)
