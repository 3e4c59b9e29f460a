"""Table `user_history`: each user's newest events."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from recthinker.features.order import recency
from recthinker.settings import FeatureSettings

EVENT = ("item_id", "event_time", "event_type", "rating")


def user_history(
    events: DataFrame, *, before: DataFrame | None = None, ds: str, settings: FeatureSettings
) -> DataFrame:
    """Rows of `user_history` for the users of `events`: the newest `history_max_events` events, newest first, ties in
    time by seeded hash.

    Args:
        events: interactions known before the end of `ds`: all, or those that `before` does not know.
        before: rows of `user_history` of an earlier date; None: `events` are all there are.
        ds: logical date, stamped on each row.
        settings: uses `history_max_events` and `seed`.
    """
    n = settings.history_max_events
    newest_first = Window.partitionBy("user_id").orderBy(*(column.desc() for column in recency(settings.seed)))
    # Cut before they are collected, so that a user of any length takes bounded memory.
    kept = events.withColumn("nth", F.row_number().over(newest_first)).where(F.col("nth") <= n)
    new = kept.groupBy("user_id").agg(F.array_sort(F.collect_list(F.struct("nth", *EVENT))).alias("events"))
    if before is None:
        merged = new.withColumn("events", F.transform("events", lambda event: event.dropFields("nth")))
    else:
        old = before.select("user_id", F.col("events").alias("old"))
        merged = new.join(old, "user_id", "left").withColumn("events", _newest_of_both(settings))
    return merged.select(F.lit(ds).alias("ds"), "user_id", "events")


def _newest_of_both(settings: FeatureSettings) -> Column:
    """The newest of `events` and `old`, both newest first, as one list."""

    def placed(event: Column) -> Column:
        tie = F.xxhash64(F.lit(settings.seed), F.col("user_id"), event.item_id, event.event_type).alias("tie")
        rest = (event[name].alias(name) for name in EVENT if name != "event_time")
        return F.struct(event.event_time.alias("event_time"), tie, *rest)

    new, old, n = (
        F.transform("events", lambda event: event.dropFields("nth")),
        F.col("old"),
        settings.history_max_events,
    )
    sorted_anew = F.sort_array(F.concat(F.transform(new, placed), F.transform(old, placed)), asc=False)
    as_event = F.transform(
        F.slice(sorted_anew, 1, n), lambda event: F.struct(*(event[name].alias(name) for name in EVENT))
    )
    # Seldom is a new event older than one that is known: the two lists can be joined as they are.
    follows = old.isNull() | (F.get(F.col("events.event_time"), F.size("events") - 1) > F.get(old.event_time, F.lit(0)))
    joined = F.slice(F.concat(new, F.coalesce(old, F.slice(new, 1, 0))), 1, n)
    return F.when(follows, joined).otherwise(as_event)
