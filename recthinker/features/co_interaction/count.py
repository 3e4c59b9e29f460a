"""Counting the pairs that new events add: one sorted file a block, written aside."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from math import ceil

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from recthinker.features.co_interaction.blocks import count_block
from recthinker.features.co_interaction.codes import EventCodes
from recthinker.features.co_interaction.files import write_pairs
from recthinker.features.co_interaction.windows import WINDOWS_SCHEMA, windows_by_block
from recthinker.settings import FeatureSettings
from recthinker.tables.staging import StagedFile
from recthinker.tables.workers import skip_imports_in_collections

BLOCK_PAIRS = 10_000_000
"""Pairs, each both ways, that a block holds at most unless few items have most events."""
FILES_SCHEMA = pa.schema(
    {"block": pa.int32(), "path": pa.string(), "rows": pa.int64(), "size": pa.int64(), "stats": pa.string()}
)


def block_count(events: int, settings: FeatureSettings) -> int:
    """Number of blocks for a table built from scratch of about `events` events; later dates keep it."""
    return max(1, ceil(2 * settings.co_window * events / BLOCK_PAIRS))


def count_pairs(
    events: DataFrame, *, settings: FeatureSettings, blocks: int, root: str, ds: str, run: str
) -> list[StagedFile]:
    """Count the pairs whose later event is new and write them, a file for each block that has some.

    Args:
        events: user_id, item (number, from 0), weight, is_new, and the known order: known_day, event_time and tie
            (bigint). Events of weight 0 are left out. Those that are not new are each user's newest earlier ones of
            a weight above 0, at least `co_window` of them where there are as many; a table from scratch has none.
        settings: uses `co_window`, `co_half_life` and `event_weights`.
        blocks: an item belongs to block number % `blocks`.
        root: folder of `co_interaction_pairs`, a path or URI that Spark's tasks can write to.
        ds: logical date.
        run: id of the run.

    Returns:
        The files, by block.
    """
    codes = EventCodes.of(settings)
    windows = _in_known_order(events).mapInArrow(partial(windows_by_block, codes=codes, blocks=blocks), WINDOWS_SCHEMA)
    write = partial(_write_block, codes=codes, root=root, ds=ds, run=run)
    rows = windows.repartitionById(blocks, "block").mapInArrow(write, from_arrow_schema(FILES_SCHEMA)).collect()
    return [
        StagedFile(row.path, row.rows, row.size, {"ds": ds, "block": str(row.block)}, row.stats) for row in sorted(rows)
    ]


def _in_known_order(events: DataFrame) -> DataFrame:
    """user_id, item, weight, is_new: a user's events in one partition, together and in known order."""
    return (
        events.where(F.col("weight") > 0)
        .withColumn("item", F.col("item").cast("int"))
        # Users may stand in any order, and a number is compared faster than a string.
        .withColumn("user_order", F.xxhash64("user_id"))
        .repartition("user_id")
        .sortWithinPartitions("user_order", "user_id", "known_day", "event_time", "tie")
        .select("user_id", "item", "weight", "is_new")
    )


def _write_block(
    batches: Iterable[pa.RecordBatch], *, codes: EventCodes, root: str, ds: str, run: str
) -> Iterator[pa.RecordBatch]:
    """Write the pairs of the one block of a partition; its file in the columns of `FILES_SCHEMA`."""
    skip_imports_in_collections()
    stream = iter(batches)
    head = next(stream, None)
    if head is None:
        return
    block = head.column("block")[0].as_py()
    file = write_pairs(count_block(chain([head], stream), codes), block, root=root, ds=ds, run=run)
    if file:
        row = {"block": block, "path": file.path, "rows": file.rows, "size": file.size, "stats": file.stats}
        yield pa.RecordBatch.from_pylist([row], schema=FILES_SCHEMA)
