"""The feature tables of a date: planned, computed aside, checked, published, recorded.

Nothing that readers see changes before every table has passed its checks. Then each table takes its rows in one commit
and is recorded in `table_status`, last. A run that dies anywhere is simply run again: what is recorded is not built
twice, and what lies aside unseen is swept up later.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date

import pyarrow.compute as pc
from pyspark.sql import DataFrame

from recthinker.errors import TableContractError
from recthinker.features.base import Base
from recthinker.features.caps import Capped, capped
from recthinker.features.definitions import READS
from recthinker.features.landing import NOTHING, Counts, Landing, count_events, read_landing
from recthinker.features.plan import FeaturePlan, plan_features
from recthinker.features.record import made_status, recorded_before
from recthinker.features.staged_tables import MAY_BE_EMPTY, StagedTables
from recthinker.settings import FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.check_files import NEW, ROW_COUNTS, read_checks
from recthinker.tables.checks import CheckResult, audit
from recthinker.tables.publishing import discard, publish, staged_frame
from recthinker.tables.schemas import Table
from recthinker.tables.status import write_status
from recthinker.tables.store import TableStore

logger = logging.getLogger(__name__)

WAVES: Sequence[Sequence[Sequence[Table]]] = (
    ((schemas.USER_STATE,), (schemas.ITEM_STATE,), (schemas.USER_HISTORY,)),
    (
        (schemas.CO_INTERACTION_PAIRS, schemas.CO_INTERACTION),
        (schemas.SIMILAR_USERS,),
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
    limits: Sequence[Capped] = ()
    """What the limits of the settings left out."""

    def __str__(self) -> str:
        """One line for people."""
        if not self.rows:
            return "up to date, nothing to build"
        how = f"on top of {self.plan.base.ds}" if self.plan.base else f"from scratch ({self.plan.why_full})"
        told = ", ".join(f"{table} {count}" for table, count in self.rows.items())
        warned = "".join(f"; warning {check.name}: {check.count} rows" for check in self.warnings)
        limited = "".join(f"; {limit}" for limit in self.limits if limit.full)
        return f"{how}: {told}{warned}{limited}"


def build_features(
    store: TableStore, ds: str, settings: FeatureSettings, *, run_id: str, force: Collection[str] = ()
) -> BuildSummary:
    """Bring the feature and state tables of `ds` up to date: `build_planned` of `plan_features`.

    Raises:
        TableContractError: a landing table is missing, or as `build_planned`.
        ConfigError: `force` names no such table, or too little free disk.
    """
    plan = plan_features(store.root, ds, settings, force=force)
    return build_planned(plan, settings, run_id=run_id, open_store=lambda: store)


def build_planned(
    plan: FeaturePlan, settings: FeatureSettings, *, run_id: str, open_store: Callable[[], TableStore]
) -> BuildSummary:
    """Build the tables that a plan names.

    Args:
        plan: made just now.
        settings: of the features, as for the plan.
        run_id: recorded with what is written.
        open_store: where the landing tables lie and the feature tables go; called if anything is to be built.

    Raises:
        TableContractError: nothing happened before the end of the date, a check failed, or another run published the
            date since it was planned. The published tables stay as they were.
        ConfigError: too little free disk.
    """
    if not plan.to_build:
        return BuildSummary(plan, {})
    store, ds, base_ds = open_store(), plan.ds, plan.base.ds if plan.base else None
    logger.info("building features ds=%s base=%s why_full=%s", ds, base_ds, plan.why_full)
    landing = read_landing(store, plan.inputs, ds=ds, base_ds=base_ds, settings=settings)
    tables = StagedTables(store, landing, plan.base, ds, settings, f"{run_id}-{time.time_ns():x}")
    try:
        with cached(landing.events) if plan.base else nullcontext():
            counts = count_events(store, landing, plan.inputs, _known_to(plan.base), ds=ds, settings=settings)
            _check_landing(store, landing, plan)
            make_all(tables, plan.to_build, side_by_side=plan.base is not None or counts.events < LARGE)
        results = _check(tables, plan)
    except BaseException:
        discard(store, tables.staged.values())
        raise
    finally:
        tables.remove_taken()
    rows = {table.name: _publish(tables, table, plan, counts, results, run_id=run_id) for table in plan.to_build}
    limits = capped(tables.rows, landing.item_relations, settings)
    for limit in limits:
        logger.info("capped %s", limit)
    return BuildSummary(plan, rows, [result for result in results if result.count], limits)


def _known_to(base: Base | None) -> Counts:
    return Counts(base.events, 0, base.newest_event) if base else NOTHING


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


def _check_landing(store: TableStore, landing: Landing, plan: FeaturePlan) -> None:
    """The gate: nothing is built from landing tables that break a rule. What the base was built from has passed it."""
    files = pc.field("partition.event_date") > date.fromisoformat(plan.base.ds) if plan.base else None
    events = store.read(schemas.INTERACTIONS, version=plan.inputs[schemas.INTERACTIONS.name], files=files)
    frames = {"interactions": events, "items": landing.items, "users": landing.users}
    checks = [check for check in read_checks() if check.is_landing]
    if plan.base:
        passed = {name for name, version in plan.base.inputs.items() if plan.inputs[name] == version}
        # A day without events is no fault: what is known is carried on.
        passed_checks = {check.name for check in checks if passed.issuperset(check.frames)} | {"interactions_missing"}
        checks = [check for check in checks if check.name not in passed_checks]
    frames["item_relations"] = landing.item_relations
    audit(store.spark, frames, names=[check.name for check in checks])


def _check(tables: StagedTables, plan: FeaturePlan) -> list[CheckResult]:
    """The audit of the rows of the date, with those of the date before and the record of all dates before."""
    frames = {table.name: tables.rows(table) for table in (*schemas.FEATURES, *schemas.STATE)}
    new = {f"{name}{NEW}": staged_frame(tables.store, one, new_only=True) for name, one in tables.staged.items()}
    frames |= new
    if plan.base:
        for table in schemas.FEATURES:
            frames[f"{table.name}_before"] = tables.base_rows(table)
    frames[schemas.TABLE_STATUS.name] = recorded_before(tables.store, tables.ds)
    counted = [(staged.table, staged.rows) for staged in tables.staged.values()]
    frames[ROW_COUNTS] = tables.store.spark.createDataFrame(counted, "table string, rows bigint")
    names = [check.name for check in read_checks() if not check.is_landing]
    return audit(tables.store.spark, frames, names=names)


def _publish(
    tables: StagedTables,
    table: Table,
    plan: FeaturePlan,
    counts: Counts,
    results: Sequence[CheckResult],
    *,
    run_id: str,
) -> int:
    """Publish and record one table; its rows."""
    staged = tables.staged[table.name]
    version = publish(tables.store, staged, run_id=run_id, after=plan.published[table.name])
    reads = READS[table.name]
    is_on_base = plan.base is not None and not (table is schemas.CO_INTERACTION_PAIRS and tables.summed_pairs)
    status = made_status(
        staged,
        run_id=run_id,
        definition=next(one.definition for one in plan.tables if one.table is table),
        inputs={name: plan.inputs[name] for name in reads},
        version=version,
        seconds=tables.seconds[table.name],
        base_ds=plan.base.ds if plan.base and is_on_base else None,
        counts=counts if schemas.INTERACTIONS.name in reads else None,
        results=results,
    )
    write_status(tables.store.root, status)
    return staged.rows


@contextmanager
def cached(rows: DataFrame) -> Iterator[DataFrame]:
    """`rows`, computed once and kept until the end of the block."""
    rows.cache()
    try:
        yield rows
    finally:
        rows.unpersist()
