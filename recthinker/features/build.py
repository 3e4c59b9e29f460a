"""The feature tables of a date: planned, computed aside, checked, published, recorded.

Nothing that readers see changes before every table has passed its checks. Then each table takes its rows in one commit
and is recorded in `table_status`, last. A run that dies anywhere is simply run again: what is recorded is not built
twice, and what lies aside unseen is swept up later.
"""

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import DataFrame

from recthinker.errors import TableContractError
from recthinker.features.definitions import READS
from recthinker.features.known import end_of
from recthinker.features.landing import Counts, count_events, read_landing
from recthinker.features.plan import FeaturePlan, plan_features
from recthinker.features.staged_tables import MAY_BE_EMPTY, StagedTables
from recthinker.settings import FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.checks import CheckResult, audit
from recthinker.tables.publishing import discard, publish, published_version
from recthinker.tables.schemas import Table
from recthinker.tables.status import TableStatus, write_status
from recthinker.tables.store import TableStore

logger = logging.getLogger(__name__)

WAVES: Sequence[Sequence[Sequence[Table]]] = (
    ((schemas.ITEM_STATE,), (schemas.USER_STATE,)),
    (
        (schemas.CO_INTERACTION_PAIRS, schemas.CO_INTERACTION),
        (schemas.SIMILAR_USERS,),
        (schemas.USER_HISTORY,),
        (schemas.USER_PROFILE,),
        (schemas.ITEM_METADATA, schemas.ITEM_RELATION),
    ),
)
"""Tables that may be made side by side, in the order of what is made from what; a table follows those left of it."""
LARGE = 2_000_000
"""Events from which on tables are made one after the other: each fills the machine, and two would fill its memory."""


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """What a build did."""

    plan: FeaturePlan
    rows: Mapping[str, int]
    """By table that was built."""
    warnings: Sequence[CheckResult] = ()

    def __str__(self) -> str:
        """One line for people."""
        if not self.rows:
            return "up to date, nothing to build"
        how = f"on top of {self.plan.base.ds}" if self.plan.base else f"from scratch ({self.plan.why_full})"
        told = ", ".join(f"{table} {count}" for table, count in self.rows.items())
        warned = "".join(f"; warning {check.name}: {check.count} rows" for check in self.warnings)
        return f"{how}: {told}{warned}"


def build_features(
    store: TableStore, ds: str, settings: FeatureSettings, *, run_id: str, force: Collection[str] = ()
) -> BuildSummary:
    """Bring the feature and state tables of `ds` up to date.

    Args:
        store: where the landing tables lie and the feature tables go.
        ds: logical date.
        settings: of the features.
        run_id: recorded with what is written.
        force: names of tables to build in any case.

    Raises:
        TableContractError: a landing table is missing, nothing happened before the end of `ds`, a check failed, or
            another run published `ds` meanwhile. The published tables stay as they were.
        ConfigError: `force` names no such table, or too little free disk.
    """
    after = {table.name: published_version(store.root, table, ds) for wave in WAVES for row in wave for table in row}
    plan = plan_features(store.root, ds, settings, force=force)
    if not plan.to_build:
        return BuildSummary(plan, {})
    base_ds = plan.base.ds if plan.base else None
    logger.info("building features ds=%s base=%s why_full=%s", ds, base_ds, plan.why_full)
    counts = count_events(store, plan.inputs, ds=ds, settings=settings)
    landing = read_landing(store, plan.inputs, ds=ds, base_ds=base_ds, settings=settings)
    tables = StagedTables(store, landing, plan.base, ds, settings, f"{run_id}-{time.time_ns():x}")
    try:
        with cached(landing.events) if plan.base else nullcontext():
            make_all(tables, plan.to_build, side_by_side=plan.base is not None or counts.events < LARGE)
        results = audit(store.spark, _frames(tables, plan))
    except BaseException:
        discard(store, tables.staged.values())
        raise
    warnings = [result for result in results if result.count]
    rows = {
        table.name: _publish(tables, table, plan, counts, warnings, run_id=run_id, after=after[table.name])
        for table in plan.to_build
    }
    return BuildSummary(plan, rows, warnings)


def make_all(tables: StagedTables, wanted: Collection[Table], *, side_by_side: bool) -> None:
    """Compute tables in an order that lets each read those it is made from; all have rows that must have some.

    Raises:
        TableContractError: a table that must have rows has none.
    """
    for wave in WAVES:
        rows = [[table for table in row if table in wanted] for row in wave]
        with ThreadPoolExecutor(2 if side_by_side else 1) as makers:
            for made in [makers.submit(_make_row, tables, row) for row in rows]:
                made.result()
    _require_rows(tables)


def _make_row(tables: StagedTables, row: Iterable[Table]) -> None:
    for table in row:
        tables.make(table)


def _require_rows(tables: StagedTables) -> None:
    for staged in tables.staged.values():
        if not staged.rows and schemas.TABLES[staged.table] not in MAY_BE_EMPTY:
            raise TableContractError(
                f"table {staged.table}, ds {tables.ds}: no rows to write; the old rows stay. "
                "Check what the table is made from"
            )


def _frames(tables: StagedTables, plan: FeaturePlan) -> dict[str, DataFrame]:
    """What the checks read: the rows of the date, those of the date before, the catalogue, and the record."""
    frames = {table.name: tables.rows(table) for table in (*schemas.FEATURES, *schemas.STATE)}
    if plan.base:
        for table in schemas.FEATURES:
            before = tables.store.read(table)
            frames[f"{table.name}_before"] = before.where(before["ds"] == plan.base.ds)
    status = schemas.TABLE_STATUS
    tables.store.create(status)
    recorded = tables.store.read(status)
    return {**frames, "items": tables.landing.items, status.name: recorded.where(recorded["ds"] < tables.ds)}


def _publish(
    tables: StagedTables,
    table: Table,
    plan: FeaturePlan,
    counts: Counts,
    warnings: Iterable[CheckResult],
    *,
    run_id: str,
    after: int,
) -> int:
    """Publish and record one table; its rows."""
    staged = tables.staged[table.name]
    version = publish(tables.store, staged, run_id=run_id, after=after)
    reads, now = READS[table.name], datetime.now(UTC)
    has_base = plan.base is not None and not (table is schemas.CO_INTERACTION_PAIRS and tables.summed_pairs)
    has_events = schemas.INTERACTIONS.name in reads
    write_status(
        tables.store.root,
        TableStatus(
            ds=tables.ds,
            table=table.name,
            run_id=run_id,
            built_at=now,
            hours_late=(now - end_of(tables.ds)).total_seconds() / 3600,
            built="incremental" if has_base else "full",
            base_ds=plan.base.ds if plan.base and has_base else None,
            definition=next(one.definition for one in plan.tables if one.table is table),
            inputs={name: plan.inputs[name] for name in reads},
            version=version,
            rows=staged.rows,
            events=counts.events if has_events else None,
            late_events=counts.late if has_events else None,
            newest_event=counts.newest if has_events else None,
            seconds=tables.seconds[table.name],
            warnings=[str(check) for check in warnings if table.name in check.tables],
        ),
    )
    return staged.rows


@contextmanager
def cached(rows: DataFrame) -> Iterator[DataFrame]:
    """`rows`, computed once and kept until the end of the block."""
    rows.cache()
    try:
        yield rows
    finally:
        rows.unpersist()
