"""Table `similar_users`: what Spark does between the two kernels."""

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
from pyspark import Broadcast
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from recthinker.features.similar_users.links import LINKS, links
from recthinker.features.similar_users.names import NAMED, UserNames, named_by_join, user_hash
from recthinker.features.similar_users.strongest import NEIGHBOURS, strongest
from recthinker.settings import FeatureSettings

USERS_IN_MEMORY = 4_000_000
"""Up to this many users, each Python worker holds all ids, about 160 MB; above, ids are joined."""


def similar_users(
    events: DataFrame,
    recent: DataFrame,
    users: DataFrame,
    *,
    before: DataFrame | None,
    ds: str,
    settings: FeatureSettings,
    users_in_memory: int = USERS_IN_MEMORY,
) -> DataFrame:
    """Rows of `similar_users` for the users of `recent`; users linked to nobody have no row.

    Reads `users` at once; the rest runs when the rows are read, in Python workers that need this package.

    Args:
        events: user_id, item_id, known_day, event_time, tie (`tie_break` of user, item and type): events of a weight
            above 0; all of them, or those newly known since `before`.
        recent: user_id, last_day (day on which the user's newest event became known), items (the distinct ones of the
            user's newest `similar_items` events): users whose rows are wanted; with `before`, users with newly known
            events only.
        users: user_id (distinct): every user who has an event known by `ds`.
        before: item_id, paired, recent_users of `item_state` of an earlier date; None: from scratch.
        ds: logical date, stamped on each row.
        settings: uses the `similar_*` fields and `seed`.
        users_in_memory: at most this many users are named in each worker's memory.

    Raises:
        TableContractError: two users share a hash. When the rows are read: an item without an event, or a user of
            `before` who is not in `users`.
    """
    stream = _stream(events, recent, before)
    linked = stream.mapInArrow(partial(links, per_item=settings.similar_users_per_item), LINKS)
    by_user = linked.repartition("user").sortWithinPartitions("user")
    rank = partial(strongest, top_k=settings.similar_top_k, seed=settings.seed)
    if users.count() > users_in_memory:
        named = named_by_join(by_user.mapInArrow(rank, NEIGHBOURS), users)
    else:
        names = events.sparkSession.sparkContext.broadcast(UserNames.of(users))
        named = by_user.mapInArrow(partial(_ranked_and_named, rank=rank, names=names), NAMED)
    return named.select(F.lit(ds).alias("ds"), "user_id", "neighbours")


def newest_items(user_state: DataFrame, settings: FeatureSettings) -> DataFrame:
    """`recent` of `similar_users`, from rows of `user_state`: user_id, last_day, items."""
    n = settings.similar_items
    newest = F.when(F.size("recent") > n, F.slice("recent", -n, n)).otherwise(F.col("recent"))
    return user_state.where("last_day is not null").select(
        "user_id", "last_day", F.array_distinct(newest).alias("items")
    )


def _ranked_and_named(
    batches: Iterator[pa.RecordBatch], rank: "partial[Iterator[pa.RecordBatch]]", names: "Broadcast[UserNames]"
) -> Iterator[pa.RecordBatch]:
    return names.value.named(rank(batches))


def _stream(events: DataFrame, recent: DataFrame, before: DataFrame | None) -> DataFrame:
    """Rows of `links.STREAM`: each item's events before `before`'s date, newer events and queries, in known order."""
    happened = events.select(
        "item_id", user_hash().alias("user"), F.lit(1).alias("events"), _moment("known_day", 0), "event_time", "tie"
    )
    asked = recent.select(F.explode("items").alias("item_id"), user_hash().alias("user"), "last_day").select(
        "item_id", "user", F.lit(0).alias("events"), _moment("last_day", 1), _no("timestamp"), _no("bigint")
    )
    rows = happened.unionAll(asked)
    if before is not None:
        rows = rows.unionAll(_tails(before))
    # The hash comes first because numbers sort faster than strings; items that share one are still kept apart.
    return (
        rows.repartition("item_id")
        .withColumn("item", F.xxhash64("item_id"))
        .sortWithinPartitions("item", "item_id", "moment", "event_time", "tie")
        .select("item_id", "user", "events")
    )


def _tails(before: DataFrame) -> DataFrame:
    """The newest events of each item of `before`; the oldest of them stands for those before it too."""
    earlier = (F.col("paired") - F.size("recent_users")).alias("earlier")
    rows = before.select("item_id", earlier, F.posexplode("recent_users").alias("place", "user"))
    return rows.select(
        "item_id",
        "user",
        F.when(F.col("place") == 0, F.col("earlier") + 1).otherwise(1).cast("int").alias("events"),
        _no("int"),
        _no("timestamp"),
        F.col("place").cast("bigint"),
    )


def _moment(day: str, is_query: int) -> Column:
    """Sorts events by day, queries after the events of their day; null, which comes first: before all days."""
    return (F.unix_date(day) * 2 + is_query).alias("moment")


def _no(kind: str) -> Column:
    return F.lit(None).cast(kind)
