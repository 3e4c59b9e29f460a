"""Changes of tables that are there already, one by one and written down: what another release made becomes what this
one expects.

A migration adds nullable columns, fields of nested columns, or constraints, of the contract. Nothing is removed and no
type changes otherwise: such a table is built anew, or its rows are rewritten by code of their own. A migration whose
change is there already does nothing, so that all may be run again at any time.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, Schema
from deltalake.exceptions import DeltaError

from recthinker.errors import TableContractError
from recthinker.tables.arrow import Root, table_location
from recthinker.tables.create import column_types, incomplete_columns, missing_constraints, require_columns
from recthinker.tables.schemas import INTERACTIONS, RECOMMENDATIONS, RUN_MANIFEST, TABLES, TRAJECTORIES, Table

logger = logging.getLogger(__name__)

PROPERTY = "recthinker.migration"
"""Table property: number of the newest migration that changed the table."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One change of one table."""

    number: int
    """Its place in the order."""
    table: Table
    """Contract after the change."""
    why: str
    columns: tuple[str, ...] = ()
    """Columns of the contract to add, or to add fields to; what is added is nullable: rows that are there have no value
    for it."""
    constraints: tuple[str, ...] = ()
    """Names of constraints of the contract to add; the rows that are there must meet them."""


MIGRATIONS = (
    Migration(1, INTERACTIONS, "ratings are numbers", constraints=("rating_is_a_number",)),
    Migration(
        2,
        RECOMMENDATIONS,
        "a list is ranked from 1 on, by numbers",
        constraints=("rank_from_1", "score_is_a_number", "ds_is_a_date"),
    ),
    Migration(3, TRAJECTORIES, "the partition is a date", constraints=("ds_is_a_date",)),
    Migration(4, RUN_MANIFEST, "the partition is a date", constraints=("users_not_negative", "ds_is_a_date")),
    Migration(5, RUN_MANIFEST, "a night's figures are kept", columns=("metrics",)),
    Migration(6, TRAJECTORIES, "a call tells its keys, its tables and its levels", columns=("tool_calls",)),
)
"""All migrations, oldest first; a number is never used again."""


@dataclass(frozen=True, slots=True)
class Step:
    """A migration that a table still lacks."""

    migration: Migration
    root: Root
    change: str
    """What it does, for people."""


def pending(roots: Iterable[Root], migrations: Sequence[Migration] = MIGRATIONS) -> list[Step]:
    """What is to be done in some folders of tables, in order; tables that are not there need nothing."""
    found = []
    for migration in sorted(migrations, key=lambda migration: migration.number):
        for root in roots:
            location = table_location(root, migration.table)
            if DeltaTable.is_deltatable(location) and (change := _change(migration, DeltaTable(location))):
                found.append(Step(migration, root, change))
    return found


def migrate(
    roots: Sequence[Root],
    migrations: Sequence[Migration] = MIGRATIONS,
    *,
    on_step: Callable[[Step], None] = lambda _: None,
) -> list[Step]:
    """Do what `pending` lists, each in a commit of its own, and make sure that the tables keep their contracts then.

    Args:
        roots: folders of tables.
        migrations: what there is to do.
        on_step: called before each step.

    Raises:
        TableContractError: rows break a constraint, a new column may not be null, or a table still differs from its
            contract; what was done before stays, and migrating again goes on from there.
    """
    steps = pending(roots, migrations)
    for step in steps:
        on_step(step)
        _apply(step)
    for root in roots:
        for table in {**TABLES, **{one.table.name: one.table for one in migrations}}.values():
            location = table_location(root, table)
            if DeltaTable.is_deltatable(location):
                require_columns(table, DeltaTable(location))
    return steps


def _change(migration: Migration, delta: DeltaTable) -> str:
    columns, constraints = _missing(migration, delta)
    held = column_types(delta.schema())
    added = [f"add {'fields to ' * (name in held)}column {name}" for name in columns]
    added += [f"add constraint {name} ({rule})" for name, rule in constraints.items()]
    return ", ".join(added)


def _missing(migration: Migration, delta: DeltaTable) -> tuple[list[str], dict[str, str]]:
    table = migration.table
    columns = [name for name in incomplete_columns(table, delta) if name in migration.columns]
    constraints = missing_constraints(table, delta)
    return columns, {name: rule for name, rule in constraints.items() if name in migration.constraints}


def _apply(step: Step) -> None:
    migration = step.migration
    where = f"migration {migration.number} of table {migration.table.name} under {step.root}"
    delta = DeltaTable(table_location(step.root, migration.table))
    columns, constraints = _missing(migration, delta)
    # It changes no rows, and readers of the log look for the runs that did.
    mark = CommitProperties(custom_metadata={"migration": str(migration.number)})
    if columns:
        delta.alter.add_columns(_fields(migration.table, columns, delta, where), commit_properties=mark)
    if constraints:
        try:
            delta.alter.add_constraint(constraints, commit_properties=mark)
        except DeltaError as error:
            raise TableContractError(
                f"{where}: expected rows that meet {'; '.join(constraints.values())}, found others; correct or delete "
                f"them, then run `recthinker migrate` again ({str(error).splitlines()[0]})"
            ) from error
    delta.alter.set_table_properties(
        {PROPERTY: str(migration.number)}, raise_if_not_exists=False, commit_properties=mark
    )
    logger.info("migrated table=%s number=%d change=%s", migration.table.name, migration.number, step.change)


def _fields(table: Table, names: Sequence[str], delta: DeltaTable, where: str) -> list[Field]:
    held = column_types(delta.schema())
    wanted = [table.arrow_schema().field(name) for name in names]
    full = [field.name for field in wanted if not field.nullable and field.name not in held]
    if full:
        raise TableContractError(
            f"{where}: expected columns that may be null, found {', '.join(full)}; rows that are there have no value "
            "for them, so rewrite the table instead"
        )
    return list(Schema.from_arrow(pa.schema(wanted)).fields)
