"""What a build of features has to do: which tables of a date are up to date, which are not and why, and on top of what.

Reads `table_status`, the tables' logs and, where landing tables changed, the rows concerned; never Spark.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from recthinker.errors import ConfigError
from recthinker.features.base import Base, find_base
from recthinker.features.built import BUILT_TABLES, Built
from recthinker.features.definitions import CANDIDATES_READ, candidates_definition
from recthinker.settings import CandidateSettings, FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.arrow import Root
from recthinker.tables.publishing import published_version
from recthinker.tables.schemas import Table
from recthinker.tables.status import TableStatus

FORCED = "forced"
NUMBERS_ITEMS = (schemas.ITEM_STATE, schemas.CO_INTERACTION_PAIRS)
"""Built together: the one gives the numbers that the other calls items by."""


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What is to be done for one table."""

    table: Table
    reason: str | None
    """Why it is to be built; None: it is up to date."""
    definition: str
    """Its definition today."""
    rows: int | None
    """Rows expected of a build: those of the last one of its kind; None: there was none."""
    seconds: float | None
    """Wall seconds expected, likewise."""


@dataclass(frozen=True, slots=True)
class DatePlan:
    """What is to be done for one date."""

    ds: str
    tables: tuple[TablePlan, ...]
    """All feature and state tables."""
    inputs: Mapping[str, int]
    """Versions of the landing tables that `ds` reads."""

    @property
    def to_build(self) -> tuple[Table, ...]:
        """The tables that are not up to date; none: the date is no hole."""
        return tuple(plan.table for plan in self.tables if plan.reason)


@dataclass(frozen=True, slots=True)
class FeaturePlan(DatePlan):
    """What is to be done for one date, and on top of what."""

    base: Base | None
    """What to build on; None: from scratch, or nothing is to be built."""
    why_full: str | None
    """Why from scratch; None: there is a base, or nothing is to be built."""
    published: Mapping[str, int]
    """By table, how often its rows of the date had been replaced before the plan was made (`published_version`)."""


def plan_features(
    root: Root, ds: str, settings: FeatureSettings, *, force: Collection[str] = frozenset()
) -> FeaturePlan:
    """What to build for `ds`.

    Args:
        root: folder of the tables.
        ds: logical date.
        settings: the settings to build with.
        force: names of tables that are to be built in any case.

    Raises:
        TableContractError: a landing table is missing.
        ConfigError: `force` names a table that is no feature or state table.
    """
    _check_names(force)
    # First of all: what another run publishes from here on crosses the commits of this plan.
    published = {table.name: published_version(root, table, ds) for table in BUILT_TABLES}
    built = Built(root, settings)
    reasons = _reasons(built, ds, force)
    base, why_full = find_base(built, ds) if any(reasons.values()) else (None, None)
    tables = _table_plans(built, reasons, "incremental" if base else "full")
    return FeaturePlan(ds, tables, built.inputs(ds), base, why_full, published)


def plan_range(
    root: Root, first: str, last: str, settings: FeatureSettings, *, force: Collection[str] = frozenset()
) -> tuple[DatePlan, ...]:
    """What to build for each date from `first` to `last`: dates without `to_build` are no holes and can be left out.

    What a hole is built on is not told: that depends on the holes before it.

    Raises:
        TableContractError: a landing table is missing.
        ConfigError: `force` names a table that is no feature or state table, or the range is empty.
    """
    _check_names(force)
    if last < first:
        raise ConfigError(f"range of dates: expected a last date from {first} on, found {last}; swap the two")
    built = Built(root, settings)
    plans: list[DatePlan] = []
    for ds in _dates(first, last):
        kind = "incremental" if plans or built.dates_before(ds) else "full"
        tables = _table_plans(built, _reasons(built, ds, force), kind)
        plans.append(DatePlan(ds, tables, built.inputs(ds)))
    return tuple(plans)


def plan_candidates(
    root: Root,
    ds: str,
    features: FeatureSettings,
    candidates: CandidateSettings,
    *,
    force: Collection[str] = frozenset(),
    rebuilt: Iterable[Table] = (),
) -> TablePlan:
    """What to do for the candidates of `ds`.

    Args:
        root: folder of the tables.
        ds: logical date.
        features: settings of the feature tables that candidates are made from.
        candidates: settings of the candidates.
        force: tables that are to be built in any case.
        rebuilt: tables of `ds` that are built before (`FeaturePlan.to_build`).

    Raises:
        TableContractError: a landing table is missing.
    """
    built, table = Built(root, features), schemas.CANDIDATES
    expected = candidates_definition(features, candidates)
    reason = FORCED if table.name in force else built.fault(table, ds, expected)
    reason = reason or _changed_source(built, ds, frozenset(other.name for other in rebuilt))
    return _table_plan(table, reason, expected, built.newest(table, "full"))


def _check_names(force: Collection[str]) -> None:
    known = {table.name for table in (*BUILT_TABLES, schemas.CANDIDATES)}
    if unknown := sorted(set(force) - known):
        raise ConfigError(
            f"tables to force: expected some of {', '.join(sorted(known))}, found {', '.join(unknown)}; "
            "correct the names"
        )


def _reasons(built: Built, ds: str, force: Collection[str]) -> dict[str, str | None]:
    """Why each table is to be built, None for those that are up to date."""
    reasons = {table.name: _reason(built, table, ds, force) for table in BUILT_TABLES}
    one, other = (table.name for table in NUMBERS_ITEMS)
    for name, partner in ((one, other), (other, one)):
        if reasons[partner] and not reasons[name]:
            reasons[name] = f"built together with {partner}"
    return reasons


def _reason(built: Built, table: Table, ds: str, force: Collection[str]) -> str | None:
    if table.name in force:
        return FORCED
    if fault := built.fault(table, ds):
        return fault
    changed = built.changed_input(table, ds)
    return changed and _input_changed(changed)


def _input_changed(name: str) -> str:
    return f"input changed ({name})"


def _changed_source(built: Built, ds: str, rebuilt: Collection[str]) -> str | None:
    """Why candidates that stand are not those of today's inputs; None: they are."""
    row = built.status(schemas.CANDIDATES, ds)
    recorded = row.inputs if row else {}
    for table in CANDIDATES_READ:
        known = recorded.get(table.name)
        if table.name in rebuilt or known is None or built.changes(table).last.get(ds, -1) > known:
            return _input_changed(table.name)
    events, now = schemas.INTERACTIONS.name, built.inputs(ds)
    if events not in recorded or not built.is_same(events, recorded[events], now[events], ds):
        return _input_changed(events)
    return None


def _table_plans(built: Built, reasons: Mapping[str, str | None], kind: str) -> tuple[TablePlan, ...]:
    return tuple(
        _table_plan(table, reasons[table.name], built.definitions[table.name], built.newest(table, kind))
        for table in BUILT_TABLES
    )


def _table_plan(table: Table, reason: str | None, definition: str, last: TableStatus | None) -> TablePlan:
    """The plan of a table, with what `last`, the last build of the same kind, took."""
    return TablePlan(table, reason, definition, last.rows if last else None, last.seconds if last else None)


def _dates(first: str, last: str) -> Iterable[str]:
    start = date.fromisoformat(first)
    return (str(start + timedelta(days=n)) for n in range((date.fromisoformat(last) - start).days + 1))
