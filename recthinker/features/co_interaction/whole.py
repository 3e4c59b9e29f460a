"""The table in one go, from scratch: for training cuts, which have no nights."""

from pyarrow import fs
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from recthinker.features.co_interaction.count import block_count, count_pairs
from recthinker.features.co_interaction.rank import rank_items
from recthinker.features.order import numbered, tie_break
from recthinker.settings import FeatureSettings
from recthinker.tables.staging import StagedFile, open_location


def co_interaction(
    interactions: DataFrame, *, settings: FeatureSettings, root: str, ds: str, run: str
) -> list[StagedFile]:
    """Write the rows of `co_interaction` that `interactions` make, from scratch; nothing is kept for a later night.

    Args:
        interactions: the interactions known before the end of `ds`, with their `known_day` (`features.known`).
        settings: uses the `co_*` fields, `event_weights` and `seed`.
        root: folder of `co_interaction`, a path or URI that Spark's tasks can write to.
        ds: logical date.
        run: id of the run.

    Returns:
        The files, by block.
    """
    spark = interactions.sparkSession
    weighted = interactions.withColumn("weight", event_weight(settings.event_weights)).where("weight > 0")
    items = numbered(weighted.groupBy("item_id").agg(F.count("*").alias("paired")), "item_id").cache()
    tie = tie_break(settings.seed, "user_id", "item_id", "event_type")
    events = weighted.join(F.broadcast(items.select("item_id", F.col("number").alias("item"))), "item_id").withColumns(
        {"tie": tie, "is_new": F.lit(True)}
    )
    # Delta's readers and clean-up pass over names that begin with `_`.
    pairs = f"{root}/_pairs-{run}"
    try:
        rows = items.toArrow()
        blocks = block_count(sum(rows["paired"].to_pylist()), settings)
        counted = count_pairs(events, settings=settings, blocks=blocks, root=pairs, ds=ds, run=run)
        files = {int(file.partition["block"]): [f"{pairs}/{file.path}"] for file in counted}
        return rank_items(spark, files, rows, settings=settings, root=root, ds=ds, run=run)
    finally:
        items.unpersist()
        _remove(pairs)


def event_weight(weights: dict[str, float]) -> Column:
    """The weight of an event by its `event_type`; 1 where the type is not named."""
    named = F.create_map(*(F.lit(value) for pair in weights.items() for value in pair))
    return F.coalesce(named[F.col("event_type")], F.lit(1.0)).cast("double")


def _remove(folder: str) -> None:
    filesystem, path = open_location(folder)
    if filesystem.get_file_info(path).type != fs.FileType.NotFound:
        filesystem.delete_dir(path)
