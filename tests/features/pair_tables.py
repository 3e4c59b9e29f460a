"""`co_interaction` and its pairs in tests: events with numbers and weights, files read back as plain Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from recthinker.features.co_interaction import block_count, count_pairs, rank_items
from recthinker.features.events import as_events
from recthinker.features.order import tie_break
from recthinker.features.weights import event_weight
from recthinker.settings import FeatureSettings
from recthinker.tables.staging import StagedFile

DS = "2024-03-01"

Edges = dict[tuple[str, str], dict[str, float]]
Sums = dict[tuple[int, int], tuple[int, int]]


def numbered_events(interactions: DataFrame, features: FeatureSettings, items: str) -> DataFrame:
    """Events as `count_pairs` takes them, all new; an item's number is its place in `items`."""
    number = F.instr(F.lit(items), F.col("item_id")) - 1
    return interactions.select(
        "user_id",
        number.alias("item"),
        event_weight(features).alias("weight"),
        F.lit(True).alias("is_new"),
        F.col("event_date").alias("known_day"),
        "event_time",
        tie_break(features.seed, "user_id", "item_id", "event_type").alias("tie"),
    ).where("weight > 0")


def from_scratch(interactions: DataFrame, features: FeatureSettings, root: Path) -> Edges:
    """The table that `interactions` make, counted and ranked in one go."""
    known = interactions.withColumn("known_day", F.col("event_date"))
    events = as_events(known, features).where("weight > 0")
    counts = events.groupBy("item_id").agg(F.count("*").alias("paired"))
    items = counts.withColumn("number", F.row_number().over(Window.orderBy("item_id")))
    named = events.join(items.select("item_id", F.col("number").alias("item")), "item_id")
    blocks, rows = block_count(events.count(), features), items.toArrow()
    pairs = root / "pairs"
    files = counted(named.withColumn("is_new", F.lit(True)), features, pairs, blocks=blocks)
    together = {block: [path] for block, path in files.items()}
    spark = interactions.sparkSession
    return edges(rank_items(spark, together, rows, settings=features, root=str(root), ds=DS, run="run"), root)


def counted(
    events: DataFrame, features: FeatureSettings, root: Path, *, blocks: int = 1, run: str = "run"
) -> dict[int, str]:
    """`count_pairs`, as the path of each block's file."""
    return paths(count_pairs(events, settings=features, blocks=blocks, root=str(root), ds=DS, run=run), root)


def ranked(
    events: DataFrame, files: Mapping[int, Sequence[str]], features: FeatureSettings, root: Path, items: str
) -> Edges:
    """`rank_items` of the `items`, which are numbered as they come, one character each."""
    paired = {row.item: row.n for row in events.groupBy("item").agg(F.count("*").alias("n")).collect()}
    numbers = sorted(paired)
    known = {"item_id": [items[n] for n in numbers], "number": numbers, "paired": [paired[n] for n in numbers]}
    staged = rank_items(
        events.sparkSession, files, pa.table(known), settings=features, root=str(root), ds=DS, run="run"
    )
    return edges(staged, root)


def edges(files: Sequence[StagedFile], root: Path) -> Edges:
    """The rows of `co_interaction` in `files`."""
    rows = [row for file in files for row in pq.read_table(root / file.path, partitioning=None).to_pylist()]
    return {(row["item_id"], n["item_id"]): n for row in rows for n in row["neighbours"]}


def sums(files: Mapping[int, str]) -> Sums:
    """The pairs in `files`: (support, next_weight) of (item, neighbour)."""
    rows = [row for path in files.values() for row in pq.read_table(path, partitioning=None).to_pylist()]
    assert len({(row["item"], row["neighbour"]) for row in rows}) == len(rows)
    return {(row["item"], row["neighbour"]): (row["support"], row["next_weight"]) for row in rows}


def paths(files: Sequence[StagedFile], root: Path) -> dict[int, str]:
    """Block to path."""
    return {int(file.partition["block"]): str(root / file.path) for file in files}
