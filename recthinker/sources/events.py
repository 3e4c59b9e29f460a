"""Events into `interactions`: only those that are new or differ are written, and late ones get their arrival.

An event without an arrival of its own, whose date features were built for already, arrived after that date was built,
whatever its source says: its `ingested_at` is the time of the ingest, so that it counts from a later date on
(`recthinker.features.known`). All other events without one stay without: they arrived in time.
"""

from dataclasses import dataclass
from datetime import date, datetime

from deltalake import DeltaTable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from recthinker.tables.arrow import Root, open_table, table_dates, table_location
from recthinker.tables.schemas import INTERACTIONS, TABLE_STATUS
from recthinker.tables.spark import spark_schema
from recthinker.tables.store import TableStore

MAX_DATES = 1_000
"""Up to this many dates are named one by one; events of more are looked for between the first and the last."""


@dataclass(frozen=True, slots=True)
class EventCount:
    """What became of the events kept; those that the table had already are in none of the counts."""

    new: int
    changed: int
    """Events that the table had with another rating or arrival."""
    late: int
    """Of the new and changed ones, those that arrived after `built` was built."""
    built: str | None
    """Newest date that features were built for; None: none."""

    def __str__(self) -> str:
        """Part of a line for people."""
        late = f", {self.late} arrived after {self.built} was built" if self.built else ""
        return f"{self.new} new, {self.changed} changed{late}"


def newest_built(root: Root) -> str | None:
    """The newest date that features were built for; None where there is none. Needs no Spark."""
    if not DeltaTable.is_deltatable(table_location(root, TABLE_STATUS)):
        return None
    return max(table_dates(root, TABLE_STATUS), default=None)


def write_events(store: TableStore, events: DataFrame, *, now: datetime, run_id: str) -> EventCount:
    """Write what of `events` is new, as an append, and what differs, as a merge; the last commit carries `run_id`.

    Args:
        store: where `interactions` lies.
        events: rows of `interactions`, each key once; null `ingested_at`: the source tells none.
        now: time of arrival of late events.
        run_id: recorded; where there is nothing to write, in a commit of its own.
    """
    store.create(INTERACTIONS)
    built = newest_built(store.root)
    to_write = arrived(differing(events, _landed(store, events)), built, now).persist()
    try:
        count = _count(to_write, built)
        _write(store, to_write, count, run_id)
    finally:
        to_write.unpersist()
    return count


def differing(events: DataFrame, landed: DataFrame | None) -> DataFrame:
    """The `events` that `landed` (None: no rows) lacks, or has with another rating or arrival.

    Returns:
        The columns of `events`, `is_new`, and `arrived_before`: `ingested_at` of the row that there is.
    """
    if landed is None:
        return events.withColumns({"is_new": F.lit(True), "arrived_before": F.lit(None).cast("timestamp")})
    there = landed.select(
        *INTERACTIONS.key,
        F.col("rating").alias("rating_before"),
        F.col("ingested_at").alias("arrived_before"),
        F.lit(True).alias("is_there"),
    )
    told_alike = F.col("ingested_at").isNull() | F.col("ingested_at").eqNullSafe(F.col("arrived_before"))
    is_same = F.col("is_there").isNotNull() & F.col("rating").eqNullSafe(F.col("rating_before")) & told_alike
    rows = events.join(there, list(INTERACTIONS.key), how="left").where(~is_same)
    return rows.withColumn("is_new", F.col("is_there").isNull()).drop("is_there", "rating_before")


def arrived(rows: DataFrame, built: str | None, now: datetime) -> DataFrame:
    """`rows` of `differing` with `ingested_at` filled in and `is_late`."""
    told = F.col("ingested_at")
    is_built = F.lit(False) if built is None else F.col("event_date") <= F.lit(date.fromisoformat(built))
    is_late = told.isNull() & is_built
    arrival = F.when(is_late, F.lit(now)).otherwise(F.coalesce(told, "arrived_before"))
    return rows.withColumn("is_late", is_late).withColumn("ingested_at", arrival).drop("arrived_before")


def _landed(store: TableStore, events: DataFrame) -> DataFrame | None:
    """The rows of the dates that `events` touch; None where the table is empty."""
    if not open_table(store.root, INTERACTIONS).file_uris():
        return None
    dates = [row.event_date for row in events.select("event_date").distinct().collect()]
    return store.read(INTERACTIONS).where(_of_dates(sorted(dates)))


def _of_dates(dates: list[date]) -> Column:
    """`event_date` is one of `dates`, or where they are very many: between them."""
    if not dates or len(dates) <= MAX_DATES:
        return F.col("event_date").isin(dates)
    return F.col("event_date").between(F.lit(dates[0]), F.lit(dates[-1]))


def _count(rows: DataFrame, built: str | None) -> EventCount:
    new, changed, late = rows.agg(F.count_if("is_new"), F.count_if(~F.col("is_new")), F.count_if("is_late")).collect()[
        0
    ]
    return EventCount(new, changed, late, built)


def _write(store: TableStore, rows: DataFrame, count: EventCount, run_id: str) -> None:
    names = spark_schema(INTERACTIONS).names
    new, changed = rows.where("is_new").select(*names), rows.where("not is_new").select(*names)
    if count.new or not count.changed:
        # Only the last commit may say that all is there.
        mark = f"{run_id.split()[0]} (changed events follow)" if count.changed else run_id
        store.append(INTERACTIONS, new, run_id=mark)
    if count.changed:
        store.upsert(INTERACTIONS, changed, run_id=run_id)
