"""Random histories with late events: equal to the definition, and to an incremental build."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from math import log2

import pytest
from pyspark.sql import SparkSession

from recthinker.features.similar_users import similar_users
from recthinker.settings import FeatureSettings
from tests.features.rows import shuffled
from tests.features.similar_worlds import DS, frame, random_world, recent, rows, scratch, settings_of, state

pytestmark = pytest.mark.spark


def test_similar_users_equals_the_definition(spark: SparkSession, features: FeatureSettings) -> None:
    settings = settings_of(features, items=4, users=3, k=100)
    events = [event for n in range(20) for event in random_world(str(n), seed=100 + n)]
    world = frame(spark, events, settings)
    order = world.orderBy("known_day", "event_time", "tie").select("known_day", "user_id", "item_id").collect()

    found = rows(scratch(shuffled(world), settings))

    expected = dict(_by_definition([tuple(row) for row in order], items=4, users=3))
    assert {user: dict(neighbours) for user, neighbours in found.items()} == expected


def _by_definition(
    known: list[tuple[date, str, str]], *, items: int, users: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """Each user's similarities, worked out one user at a time from events in known order."""
    for user in {user for _, user, _ in known}:
        own = [(day, item) for day, who, item in known if who == user]
        last, newest = own[-1][0], {item for _, item in own[-items:]}
        total, linked = 0.0, defaultdict[str, float](float)
        for item in newest:
            events = [who for day, who, what in known if what == item and day <= last]
            total += 1 / log2(1 + len(events))
            for other in set(events[-users:]) - {user}:
                linked[other] += 1 / log2(1 + len(events))
        if linked:
            yield user, {other: pytest.approx(units / total, abs=1e-7) for other, units in linked.items()}


@pytest.mark.parametrize(
    ("built", "ds"), [(4, 5), (2, 8), (7, 8), (1, 8)], ids=["a night", "a hole", "the last", "the first"]
)
def test_similar_users_incremental_equals_from_scratch(
    spark: SparkSession, features: FeatureSettings, built: int, ds: int
) -> None:
    settings = settings_of(features, items=3, users=3, k=3)
    events = [event for n in range(25) for event in random_world(str(n), seed=n)]
    old = frame(spark, [e for e in events if e.known <= built], settings)
    new = frame(spark, [e for e in events if built < e.known <= ds], settings)
    known = frame(spark, [e for e in events if e.known <= ds], settings).cache()
    touched = recent(known, settings).join(new.select("user_id").distinct(), "user_id", "left_semi")
    users = known.select("user_id").distinct()

    night = similar_users(new, touched, users, before=state(old, settings), ds=DS, settings=settings)
    whole, changed = rows(scratch(known, settings)), {row["user_id"] for row in touched.collect()}

    untouched = {user: row for user, row in rows(scratch(old, settings)).items() if user not in changed}
    assert rows(night) | untouched == whole
    assert len(whole) > 50


def test_similar_users_batches_and_order_of_rows_do_not_matter(spark: SparkSession, features: FeatureSettings) -> None:
    settings = settings_of(features, items=4, users=3, k=4)
    world = frame(spark, [event for n in range(5) for event in random_world(str(n), seed=n)], settings).cache()
    expected = rows(scratch(world, settings))

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 2)
    try:
        assert rows(scratch(shuffled(world), settings)) == expected
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")


def test_similar_users_names_in_memory_and_by_join_are_the_same(spark: SparkSession, features: FeatureSettings) -> None:
    settings = settings_of(features, k=4)
    world = frame(spark, [event for n in range(5) for event in random_world(str(n), seed=n)], settings).cache()

    assert rows(scratch(world, settings, users_in_memory=0)) == rows(scratch(world, settings))
