"""Which interactions a logical date may see: the one operator that features, candidates and cuts build on."""

from datetime import UTC, date, datetime, time, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def known_before(interactions: DataFrame, ds: str, cutoff: datetime | None = None) -> DataFrame:
    """The interactions known before the end of `ds`.

    An event is known when it happened before midnight (UTC) that ends `ds`. With a `cutoff`, it must also
    have arrived by then (`ingested_at <= cutoff`); events whose arrival is not recorded (null) count as
    known.

    Args:
        interactions: rows of `interactions`.
        ds: logical date, `YYYY-MM-DD`.
        cutoff: time of arrival up to which events count, UTC where it names no zone; None asks nothing of
            arrival.
    """
    day = date.fromisoformat(ds)
    end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)
    # event_date follows from event_time; it is named because the table is partitioned by it, so later files
    # are not read.
    known = interactions.where((F.col("event_date") <= F.lit(day)) & (F.col("event_time") < F.lit(end)))
    if cutoff is None:
        return known
    zoned = cutoff if cutoff.tzinfo else cutoff.replace(tzinfo=UTC)
    return known.where(F.col("ingested_at").isNull() | (F.col("ingested_at") <= F.lit(zoned)))
