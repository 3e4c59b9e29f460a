"""Table `user_history`: each user's newest events."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.features.order import recency
from recthinker.settings import FeatureSettings

EVENT = ("item_id", "event_time", "event_type", "rating")


def user_history(interactions: DataFrame, *, ds: str, settings: FeatureSettings) -> DataFrame:
    """Rows of `user_history`: a user's newest `history_max_events` events, newest first, ties in time by
    seeded hash.

    Args:
        interactions: the interactions known before the end of `ds`.
        ds: logical date, stamped on each row.
        settings: uses `history_max_events` and `seed`.
    """
    # Keeps only the newest events while it aggregates, so a user of any length takes bounded memory.
    newest = F.max_by(F.struct(*EVENT), F.struct(*recency(settings.seed)), settings.history_max_events)
    histories = interactions.groupBy("user_id").agg(newest.alias("events"))
    return histories.select(F.lit(ds).alias("ds"), "user_id", "events")
