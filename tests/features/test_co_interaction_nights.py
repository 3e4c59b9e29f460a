"""Nights that add to a base, and what must not matter: order of input, blocks, batch borders."""

import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from recthinker.errors import TableContractError
from recthinker.features.co_interaction import block_count, compact_pairs, rank_items
from recthinker.settings import FeatureSettings
from tests import tiny_world
from tests.features.pair_tables import DS, counted, numbered_events, paths, ranked, sums
from tests.features.rows import START, event, histories, shuffled

pytestmark = pytest.mark.spark

ITEMS = "abcdefghijkl"
KINDS = ("view", "cart", "purchase", "impression")


def random_history(spark: SparkSession, seed: int) -> DataFrame:
    """200 events of 12 users over 3 days, one in ten of which arrives a day late or two."""
    rng = random.Random(seed)
    rows = []
    for _ in range(200):
        time = START + timedelta(minutes=rng.randrange(3 * 24 * 4) * 15)
        late = timedelta(days=rng.randint(1, 2)) if rng.random() < 0.1 else timedelta()
        row = event(f"u{rng.randrange(12)}", rng.choice(ITEMS), time, event_type=rng.choice(KINDS))
        rows.append(row | {"ingested_at": time + late})
    return tiny_world.frame(spark, "interactions", rows)


def in_known_order(events: DataFrame, interactions: DataFrame) -> DataFrame:
    """`events` with the day on which each became known."""
    arrived = interactions.select("user_id", "event_time", F.to_date("ingested_at").alias("arrived")).distinct()
    late = events.join(arrived, ["user_id", "event_time"]).dropDuplicates(["user_id", "event_time", "tie"])
    return late.withColumn("known_day", F.greatest("known_day", "arrived")).drop("arrived")


def night(events: DataFrame, day: date, window: int) -> DataFrame:
    """The events that became known on `day`, and each user's newest `window` earlier ones."""
    newest = Window.partitionBy("user_id").orderBy(F.desc("known_day"), F.desc("event_time"), F.desc("tie"))
    earlier = events.where(F.col("known_day") < day).withColumn("rank", F.row_number().over(newest))
    context = earlier.where(F.col("rank") <= window).drop("rank").withColumn("is_new", F.lit(False))
    return events.where(F.col("known_day") == day).unionByName(context)


@pytest.mark.parametrize("window", [2, 20])
def test_a_base_and_nights_equal_a_build_from_scratch(
    spark: SparkSession, features: FeatureSettings, tmp_path: Path, window: int
) -> None:
    settings = features.model_copy(update={"co_window": window, "co_min_support": 2, "co_top_k": 5})
    history = random_history(spark, 5)
    events = in_known_order(numbered_events(history, settings, ITEMS), history).cache()
    days = [date(2024, 3, 1) + timedelta(days=n) for n in range(5)]

    base = counted(events.where(F.col("known_day") <= days[2]), settings, tmp_path, blocks=3, run="base")
    nights = [
        counted(night(events, day, window), settings, tmp_path, blocks=3, run=day.isoformat()) for day in days[3:]
    ]
    whole = counted(events, settings, tmp_path, blocks=3, run="whole")

    assert all(nights)
    files = {block: [found[block] for found in (base, *nights) if block in found] for block in range(3)}
    compact = paths(compact_pairs(spark, files, root=str(tmp_path), ds=DS, run="compact"), tmp_path)
    assert sums(compact) == sums(whole)
    expected = ranked(events, {block: [path] for block, path in whole.items()}, settings, tmp_path / "a", ITEMS)
    found = ranked(events, files, settings, tmp_path / "b", ITEMS)
    assert found == expected
    assert list(found) == list(expected)
    assert max(Counter(item for item, _ in found).values()) == 5


def test_a_late_event_comes_last(spark: SparkSession, features: FeatureSettings, tmp_path: Path) -> None:
    # u: a, b, c an hour apart; then d, which happened before all of them, becomes known a day later.
    settings = features.model_copy(update={"co_window": 2, "co_half_life": 1})
    rows = [event("u", item, START + timedelta(hours=n)) for n, item in enumerate("dabc")]
    events = numbered_events(tiny_world.frame(spark, "interactions", rows), settings, "abcd")
    next_day = F.date_add("known_day", F.when(F.col("item") == 3, 1).otherwise(0))

    found = sums(counted(events.withColumn("known_day", next_day), settings, tmp_path))

    # d follows c at distance 1 and b at distance 2, and never a.
    assert found[2, 3] == (1, 2**20)
    assert found[1, 3] == (1, 2**19)
    assert (0, 3) not in found


def test_only_new_later_events_count(spark: SparkSession, features: FeatureSettings, tmp_path: Path) -> None:
    events = numbered_events(histories(spark, u="a b c d"), features, "abcd").where(F.col("item") > 0)

    found = sums(counted(events.withColumn("is_new", F.col("item") == 3), features, tmp_path))

    # b and c are earlier events: both make a pair with d, and none with each other.
    assert set(found) == {(1, 3), (3, 1), (2, 3), (3, 2)}


def test_an_earlier_event_after_a_new_one_is_an_error(
    spark: SparkSession, features: FeatureSettings, tmp_path: Path
) -> None:
    events = numbered_events(histories(spark, u="a b"), features, "ab").withColumn("is_new", F.col("item") == 0)

    with pytest.raises(Exception, match="should all come before the new ones"):
        counted(events, features, tmp_path)


def test_batches_blocks_and_input_order_do_not_matter(
    spark: SparkSession, features: FeatureSettings, tmp_path: Path
) -> None:
    settings = features.model_copy(update={"co_window": 3})
    events = numbered_events(random_history(spark, 7), settings, ITEMS).cache()
    expected = sums(counted(events, settings, tmp_path, run="one"))

    many = counted(shuffled(events), settings, tmp_path, blocks=5, run="many")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 2)
    try:
        small = sums(counted(events, settings, tmp_path, blocks=2, run="small"))
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")

    assert sums(many) == small == expected
    assert {block: {item % 5 for item, _ in sums({0: path})} for block, path in many.items()} == {
        block: {block} for block in range(5)
    }
    for path in many.values():
        rows = pq.read_table(path, partitioning=None).to_pylist()
        assert rows == sorted(rows, key=lambda row: (row["item"], row["neighbour"]))


def test_sums_beyond_32_bits(spark: SparkSession, features: FeatureSettings, tmp_path: Path) -> None:
    # 3000 users buy a, then b: 3000 * 5 * 2^20 units are above 2^31.
    settings = features.model_copy(update={"event_weights": {"purchase": 5.0}})
    users = spark.range(3000).select(F.format_string("u%d", "id").alias("user_id"))
    items = F.explode(F.sequence(F.lit(0), F.lit(1))).alias("item")
    times = F.timestamp_seconds(F.lit(1_700_000_000) + F.col("item"))
    events = users.select("user_id", items).select(
        "*",
        F.lit(5.0).alias("weight"),
        F.lit(True).alias("is_new"),
        F.lit(date(2024, 3, 1)).alias("known_day"),
        times.alias("event_time"),
        F.lit(0).cast("bigint").alias("tie"),
    )

    found = sums(counted(events, settings, tmp_path))

    assert found == {(0, 1): (3000, 3000 * 5 * 2**20), (1, 0): (3000, 0)}


def test_an_unknown_weight_is_an_error(spark: SparkSession, features: FeatureSettings, tmp_path: Path) -> None:
    events = numbered_events(histories(spark, u="a b"), features, "ab").withColumn("weight", F.lit(0.3))

    with pytest.raises(Exception, match=r"features\.event_weights\), found 0\.3"):
        counted(events, features, tmp_path)


def test_ranking_names_a_corrupt_file(spark: SparkSession, features: FeatureSettings, tmp_path: Path) -> None:
    items = pa.table({"item_id": ["a", "b"], "number": [0, 1], "paired": [1, 1]})
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1, but no more")
    unsorted = tmp_path / "unsorted.parquet"
    types = pa.schema({"item": pa.int32(), "neighbour": pa.int32(), "support": pa.int64(), "next_weight": pa.int64()})
    pq.write_table(pa.table([[1, 0], [0, 1], [1, 1], [0, 0]], schema=types), unsorted)

    for file, message in ((broken, "found none that can be read"), (unsorted, "found a pair out of order")):
        with pytest.raises(TableContractError, match=rf"{file}.*{message}"):
            rank_items(spark, {0: [str(file)]}, items, settings=features, root=str(tmp_path), ds=DS, run="run")


def test_ranking_names_an_unknown_item(spark: SparkSession, features: FeatureSettings, tmp_path: Path) -> None:
    events = numbered_events(histories(spark, u="a b"), features, "ab")
    files = {block: [path] for block, path in counted(events, features, tmp_path).items()}
    items = pa.table({"item_id": ["a"], "number": [0], "paired": [1]})

    with pytest.raises(TableContractError, match="found number 1 without"):
        rank_items(spark, files, items, settings=features, root=str(tmp_path), ds=DS, run="run")


def test_block_count_bounds_the_pairs_of_a_block(features: FeatureSettings) -> None:
    settings = features.model_copy(update={"co_window": 20})

    # 25M events have at most 25M * 20 pairs, each both ways: 1000M.
    assert block_count(25_000_000, settings) == 100
    assert block_count(0, settings) == 1
