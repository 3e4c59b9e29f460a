"""From pairs to table `co_interaction`: the neighbours of highest cosine of each item."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession

from recthinker.features.co_interaction.files import read_pairs, run_blocks
from recthinker.features.co_interaction.items import Items, items_by_number
from recthinker.features.co_interaction.pairs import WEIGHT_UNIT, Pairs, sum_pairs
from recthinker.features.co_interaction.strongest import Doubles, strongest
from recthinker.settings import FeatureSettings
from recthinker.tables.schemas import CO_INTERACTION
from recthinker.tables.staging import StagedFile, write_staged

ITEM_ID, NEIGHBOURS = (CO_INTERACTION.arrow_schema().field(name) for name in ("item_id", "neighbours"))


def rank_items(
    spark: SparkSession,
    pair_files: Mapping[int, Sequence[str]],
    items: pa.Table,
    *,
    settings: FeatureSettings,
    root: str,
    ds: str,
    run: str,
) -> list[StagedFile]:
    """Write the rows of `co_interaction`, a file for each block that has some, sorted by item_id.

    Args:
        spark: the session.
        pair_files: paths or URIs of all files of a block, from the last date built from scratch to `ds`.
        items: item_id, number and paired (events of a weight above 0) of every item that the pairs name.
        settings: uses `co_min_support`, `co_top_k` and `seed`.
        root: folder of `co_interaction`.
        ds: logical date.
        run: id of the run.

    Returns:
        The files, by block.

    Raises:
        TableContractError: a pair names an item that is not in `items`; or as `read_pairs`.
    """
    shared = spark.sparkContext.broadcast(items_by_number(spark, items, settings.seed))

    def rank(block: int) -> StagedFile | None:
        pairs = sum_pairs([read_pairs(uri) for uri in pair_files[block]], min_support=settings.co_min_support)
        rows = neighbour_rows(pairs, shared.value, settings.co_top_k)
        return write_staged(root, f"ds={ds}/{run}/block-{block:05d}.parquet", rows, {"ds": ds}) if len(rows) else None

    try:
        return run_blocks(spark, rank, sorted(pair_files))
    finally:
        shared.destroy()


def neighbour_rows(pairs: Pairs, items: Items, k: int) -> pa.Table:
    """The rows of `co_interaction`, without ds, that `pairs` make, sorted by item_id.

    Raises:
        TableContractError: a pair names an item that is not in `items`.
    """
    items.require(pairs.neighbour)
    items.require(pairs.item)
    kept, cosine = strongest(pairs, items, k)
    item, ends = np.unique(kept.item, return_counts=True)
    lists = pa.ListArray.from_arrays(
        pa.array(np.concatenate([[0], np.cumsum(ends)]), pa.int32()), _neighbours(kept, cosine, items)
    )
    columns = [items.ids.take(pa.array(item)), lists.cast(NEIGHBOURS.type)]
    return pa.table(columns, schema=pa.schema([ITEM_ID, NEIGHBOURS])).sort_by("item_id")


def _neighbours(pairs: Pairs, cosine: Doubles, items: Items) -> pa.Array:
    product = items.paired[pairs.item].astype(np.float64) * items.paired[pairs.neighbour]
    columns = {
        "item_id": items.ids.take(pa.array(pairs.neighbour)),
        "support": pairs.support,
        "cosine": cosine,
        "lift": pairs.support.astype(np.float64) * items.total / product,
        "next_weight": pairs.next_weight * WEIGHT_UNIT,
    }
    return pa.StructArray.from_arrays([pa.array(values) for values in columns.values()], names=list(columns))
