"""What features are made from: the landing tables as one date reads them, and the events in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.errors import TableContractError
from recthinker.features.events import as_events
from recthinker.features.inputs import input_versions
from recthinker.features.known import arrived_too_late, files_after, files_arriving, known_before, newly_known
from recthinker.settings import FeatureSettings
from recthinker.tables import schemas
from recthinker.tables.store import TableStore


@dataclass(frozen=True, slots=True)
class Landing:
    """What the features of one date are made from."""

    events: DataFrame
    """As of `as_events`: all events that the date knows or, on top of a base, those that the base does not know."""
    items: DataFrame
    users: DataFrame
    item_relations: DataFrame


@dataclass(frozen=True, slots=True)
class Counts:
    """What is told of the events of a date."""

    events: int
    """Known before the end of the date."""
    late: int
    """Of the date or before, but arrived too late to count."""
    newest: datetime | None
    """Time of the newest event known, with its time zone."""


NOTHING = Counts(0, 0, None)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_landing(
    store: TableStore, inputs: Mapping[str, int], *, ds: str, base_ds: str | None, settings: FeatureSettings
) -> Landing:
    """The landing tables at the versions of `inputs`.

    Args:
        store: where they lie.
        inputs: version by table, as of `features.inputs.input_versions`.
        ds: logical date.
        base_ds: date whose events are left out; None: none are.
        settings: uses `arrival_grace_h`, `seed` and `event_weights`.
    """
    grace_h = settings.arrival_grace_h
    if base_ds is None:
        known = known_before(_read(store, "interactions", inputs), ds, grace_h)
    else:
        interactions = _read(store, "interactions", inputs, files_after(base_ds, grace_h))
        known = newly_known(interactions, base_ds, ds, grace_h)
    return with_events(store, inputs, as_events(known, settings))


def with_events(store: TableStore, inputs: Mapping[str, int], events: DataFrame) -> Landing:
    """`events` with the other landing tables at the versions of `inputs`."""
    names = ("items", "users", "item_relations")
    return Landing(events, **{name: _read(store, name, inputs) for name in names})


def known_interactions(store: TableStore, *, ds: str, settings: FeatureSettings) -> DataFrame:
    """The interactions known before the end of `ds`, each with its `known_day`."""
    inputs = input_versions(store.root, ds, settings.arrival_grace_h)
    return known_before(_read(store, "interactions", inputs), ds, settings.arrival_grace_h)


def _read(store: TableStore, name: str, inputs: Mapping[str, int], files: pc.Expression | None = None) -> DataFrame:
    return store.read(schemas.TABLES[name], version=inputs[name], files=files)


def count_events(
    store: TableStore,
    landing: Landing,
    inputs: Mapping[str, int],
    before: Counts,
    *,
    ds: str,
    settings: FeatureSettings,
) -> Counts:
    """The events of `ds`, counted.

    Args:
        store: where the landing tables lie.
        landing: of `ds`.
        inputs: version by table, as for `read_landing`.
        before: of the base, whose events `landing` leaves out; `NOTHING` where it has all.
        ds: logical date.
        settings: uses `arrival_grace_h`.

    Raises:
        TableContractError: nothing happened before the end of `ds`.
    """
    grace_h = settings.arrival_grace_h
    newest = F.max(F.unix_micros("event_time")).alias("newest")
    row = landing.events.agg(F.count(F.lit(1)).alias("events"), newest).collect()[0]
    if not before.events + row["events"]:
        raise TableContractError(_nothing_known(_read(store, "interactions", inputs), ds))
    late = arrived_too_late(_read(store, "interactions", inputs, files_arriving(ds, grace_h)), ds, grace_h).count()
    moments = [before.newest, row["newest"] and EPOCH + timedelta(microseconds=row["newest"])]
    return Counts(before.events + row["events"], late, max(filter(None, moments), default=None))


def _nothing_known(interactions: DataFrame, ds: str) -> str:
    first = interactions.agg(F.min("event_date").alias("day")).collect()[0]["day"]
    there = f"the first event is of {first}" if first else "the table is empty"
    return (
        f"features of ds {ds}: expected interactions before the end of that day, found none; {there}. "
        "Choose a later date or ingest older events"
    )
