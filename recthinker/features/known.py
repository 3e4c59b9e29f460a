"""Which interactions a logical date may see: the one operator that features, candidates and cuts build on.

An event becomes known on one day, which its own row decides and nothing else: the day it happened or, where it arrived
later than `arrival_grace_h` hours after the end of that day, the day within whose grace it arrived. So what D sees is
the same whenever it is asked, and an event that arrives late counts from a later date on, in no date before.
"""

from datetime import UTC, date, datetime, time, timedelta

import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def end_of(ds: str) -> datetime:
    """Midnight (UTC) that ends `ds`."""
    return datetime.combine(date.fromisoformat(ds) + timedelta(days=1), time.min, tzinfo=UTC)


def cutoff(ds: str, grace_h: float) -> datetime:
    """Time of arrival before which an event counts for `ds`."""
    return end_of(ds) + timedelta(hours=grace_h)


def known_day(grace_h: float) -> Column:
    """The day (UTC) on which an event becomes known: null `ingested_at` counts as arrived in time."""
    grace = F.expr(f"INTERVAL '{round(grace_h * 3600)}' SECOND")
    return F.greatest("event_date", F.to_date(F.col("ingested_at") - grace))


def known_before(interactions: DataFrame, ds: str, grace_h: float) -> DataFrame:
    """The interactions known before the end of `ds`, each with its `known_day`.

    Args:
        interactions: rows of `interactions`.
        ds: logical date, `YYYY-MM-DD`.
        grace_h: `features.arrival_grace_h`.
    """
    # event_date follows from event_time and is at most known_day; it is named because the table is partitioned by it,
    # so later files are not read.
    day = F.lit(date.fromisoformat(ds))
    dated = interactions.where(F.col("event_date") <= day).withColumn("known_day", known_day(grace_h))
    return dated.where(F.col("known_day") <= day)


def newly_known(interactions: DataFrame, after: str, ds: str, grace_h: float) -> DataFrame:
    """The interactions known before the end of `ds` but not before the end of `after`: of the days between, and late
    arrivals.
    """
    recent = F.col("event_date") > F.lit(date.fromisoformat(after))
    arrived_late = F.col("ingested_at") >= F.lit(cutoff(after, grace_h))
    known = known_before(interactions.where(recent | arrived_late), ds, grace_h)
    return known.where(F.col("known_day") > F.lit(date.fromisoformat(after)))


def files_after(after: str, grace_h: float) -> pc.Expression:
    """Condition on the files of `interactions` (`tables.arrow.data_actions`): those that may hold an event not known
    before the end of `after`, as their dates and the bounds of `ingested_at` tell.
    """
    return (pc.field("partition.event_date") > date.fromisoformat(after)) | files_arriving(after, grace_h)


def files_arriving(ds: str, grace_h: float) -> pc.Expression:
    """Condition on the files of `interactions`: those that may hold an event that arrived after the cut-off of `ds`."""
    # Delta's bounds are cut to milliseconds. There is none where all is null, which counts as in time.
    is_late = pc.field("max.ingested_at") >= cutoff(ds, grace_h) - timedelta(milliseconds=1)
    has_times = pc.field("null_count.ingested_at") < pc.field("num_records")
    return pc.coalesce(is_late, has_times, pc.scalar(True))


def arrived_too_late(interactions: DataFrame, ds: str, grace_h: float) -> DataFrame:
    """The events of `ds` and before that had not arrived by its cut-off: `ds` does not see them."""
    day = F.lit(date.fromisoformat(ds))
    arrived = F.col("ingested_at") >= F.lit(cutoff(ds, grace_h))
    return interactions.where((F.col("event_date") <= day) & arrived)
