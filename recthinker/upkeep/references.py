"""Who refers to which versions and dates of the tables: registered models, trainings and nights that are going on,
published nights, and builds that later ones stand on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from deltalake import DeltaTable

from recthinker.inference.plan import PLAN_FILE, InferencePlan
from recthinker.registry import TableRead
from recthinker.settings import PathSettings, RetentionSettings
from recthinker.tables import schemas
from recthinker.tables.arrow import Root, read_arrow, table_dates, table_location
from recthinker.tables.pins import Pin
from recthinker.tables.roots import table_roots
from recthinker.tables.status import TableStatus, read_status

DATED = (*schemas.FEATURES, *schemas.STATE, schemas.CANDIDATES, schemas.HELD_OUT)
"""Tables whose old dates are deleted."""
PAIRS = schemas.CO_INTERACTION_PAIRS
LANDING = frozenset(table.name for table in schemas.LANDING)


@dataclass(frozen=True, slots=True)
class References:
    """What has to stay."""

    roots: Sequence[Root]
    """Folders of tables: the warehouse, then those of the cuts."""
    first_ds: Mapping[Root, str | None]
    """By folder, the oldest logical date that is kept; None: there is none at all."""
    pins: Sequence[Pin]
    """Versions that are referred to."""
    pair_dates: Mapping[Root, frozenset[str]]
    """By folder, dates of `co_interaction_pairs` that the pairs of kept dates add up from."""


def find_references(
    paths: PathSettings, settings: RetentionSettings, reads: Iterable[TableRead], *, now: datetime
) -> References:
    """Look up everything that refers to versions and dates.

    Args:
        paths: where tables and runs lie.
        settings: what to keep.
        reads: what the registry's models and trainings read (`Registry.table_reads`); a training that gave no sign for
            `vacuum_hours` is given up, and holds nothing.
        now: the time, with its zone.

    Raises:
        SnapshotError: the plan of a run cannot be read.
    """
    roots = table_roots(paths.warehouse, paths.cuts)
    first = {root: _first_ds(root, settings.keep_days) for root in roots}
    statuses = {root: read_status(root) for root in roots}
    longest = timedelta(hours=settings.vacuum_hours)
    held = [read for read in reads if read.going_on_at is None or now - read.going_on_at <= longest]
    pins = [*_of_reads(paths, roots, held), *_of_nights(paths, first, settings, now=now)]
    for root in roots:
        pins += _of_builds(paths.warehouse, statuses[root], first[root] or "")
    pairs = {root: _pair_dates(statuses[root], first[root] or "") for root in roots}
    return References(roots, first, pins, pairs)


def first_kept(newest: str, keep_days: int) -> str:
    """The oldest of `keep_days` logical dates up to `newest`."""
    return str(date.fromisoformat(newest) - timedelta(days=keep_days - 1))


def _first_ds(root: Root, keep_days: int) -> str | None:
    dates = [table_dates(root, table)[-1:] for table in DATED if _is_there(root, table)]
    newest = max((ds for last in dates for ds in last), default=None)
    return newest and first_kept(newest, keep_days)


def _of_reads(paths: PathSettings, roots: Sequence[Root], reads: Iterable[TableRead]) -> Iterator[Pin]:
    """Whole versions: a model's data can be read again as they were. Where a run of an earlier release does not tell
    its cut, the version stays in every folder.
    """
    for read in reads:
        if read.table in LANDING:
            places: Sequence[Root] = [paths.warehouse]
        else:
            places = [paths.cut(read.cut)] if read.cut else roots
        for root in places:
            yield Pin(root, read.table, read.version, read.by, ds=read.ds, whole=True)


def _of_nights(
    paths: PathSettings, first: Mapping[Root, str | None], settings: RetentionSettings, *, now: datetime
) -> Iterator[Pin]:
    """What nights of kept dates read, and what runs read that were planned and are not published yet."""
    root, published = paths.warehouse, _published(paths.warehouse)
    for ds, run_id, _, versions in published:
        if ds >= (first.get(root) or ""):
            yield from (Pin(root, name, version, f"night {ds}/{run_id}", ds) for name, version in versions.items())
    for plan_file in sorted(paths.runs.glob(f"*/*/{PLAN_FILE}")):
        plan = InferencePlan.read(plan_file.parent)
        planned = datetime.fromtimestamp(plan_file.stat().st_mtime, UTC)
        later = [run_id for ds, run_id, at, _ in published if ds == plan.ds and at > planned]
        is_given_up = bool(later) and now - planned > timedelta(hours=settings.vacuum_hours)
        if not is_given_up and (plan.ds, plan.run_id) not in {(ds, run_id) for ds, run_id, _, _ in published}:
            by = f"open run {plan.ds}/{plan.run_id}"
            yield from (Pin(root, name, version, by, plan.ds) for name, version in plan.table_versions.items())


def _published(root: Root) -> list[tuple[str, str, datetime, dict[str, int]]]:
    """Date, run, time and versions read of every night."""
    if not _is_there(root, schemas.RUN_MANIFEST):
        return []
    columns = ("ds", "run_id", "published_at", "table_versions")
    rows = read_arrow(root, schemas.RUN_MANIFEST, columns=columns).to_pylist(maps_as_pydicts="strict")
    return [tuple(row[name] for name in columns) for row in rows]


def _of_builds(warehouse: Root, statuses: Iterable[TableStatus], first: str) -> Iterator[Pin]:
    """Landing tables as kept dates were built from them: a plan compares them with today's."""
    for row in statuses:
        if row.ds >= first:
            for name, version in row.inputs.items():
                if name in LANDING:
                    yield Pin(warehouse, name, version, f"{row.table} {row.ds}")


def _pair_dates(statuses: Iterable[TableStatus], first: str) -> frozenset[str]:
    """Kept dates of `co_interaction_pairs` and all that they are built on."""
    base = {row.ds: row.base_ds for row in statuses if row.table == PAIRS.name}
    found: set[str] = set()
    for start in base:
        ds: str | None = start if start >= first else None
        while ds is not None and ds not in found:
            found.add(ds)
            ds = base.get(ds)
    return frozenset(found)


def _is_there(root: Root, table: schemas.Table) -> bool:
    return DeltaTable.is_deltatable(table_location(root, table))
