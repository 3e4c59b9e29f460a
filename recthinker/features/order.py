"""The one order of a user's events: by time, ties by a seeded hash, never by id or file order."""

from pyspark.sql import Column, Window, WindowSpec
from pyspark.sql import functions as F


def tie_break(seed: int, *columns: str) -> Column:
    """A number fixed by `seed` and the values of `columns`, and otherwise without meaning (xxHash64)."""
    return F.xxhash64(F.lit(seed), *columns)


def recency(seed: int) -> tuple[Column, Column]:
    """What a user's events are ordered by: the larger, the newer. Equal times are ordered by seeded hash."""
    return F.col("event_time"), tie_break(seed, "user_id", "item_id", "event_type")


def newest_first(seed: int) -> WindowSpec:
    """Each user's events, newest first."""
    return Window.partitionBy("user_id").orderBy(*(column.desc() for column in recency(seed)))
