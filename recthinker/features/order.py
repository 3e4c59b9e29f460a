"""The one order of a user's events: by time, ties by a seeded hash, never by id or file order."""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F


def tie_break(seed: int, *columns: str) -> Column:
    """A number fixed by `seed` and the values of `columns`, and otherwise without meaning (xxHash64)."""
    return F.xxhash64(F.lit(seed), *columns)


def recency(seed: int) -> tuple[Column, Column]:
    """What a user's events are ordered by: the larger, the newer. Equal times are ordered by seeded hash."""
    return F.col("event_time"), tie_break(seed, "user_id", "item_id", "event_type")


def oldest_first(seed: int) -> WindowSpec:
    """Each user's events in the order they happened."""
    return Window.partitionBy("user_id").orderBy(*(column.asc() for column in recency(seed)))


def newest_first(seed: int) -> WindowSpec:
    """Each user's events, newest first: exactly the reverse of `oldest_first`."""
    return Window.partitionBy("user_id").orderBy(*(column.desc() for column in recency(seed)))


def numbered(ids: DataFrame, column: str) -> DataFrame:
    """`ids` (one row an id) with `number`, 1 to their count: whole numbers are cheaper to pair and count than
    strings.

    Numbers are good inside one table only: a new id may shift all of them.
    """
    # One partition on purpose: there are far fewer ids than events.
    return ids.withColumn("number", F.row_number().over(Window.orderBy(column)))
