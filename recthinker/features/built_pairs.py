"""The pairs of items of one date and their ranking, on top of the pairs of earlier dates."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.features.co_interaction import block_count, compact_pairs, count_pairs, rank_items
from recthinker.features.co_interaction.files import block_path
from recthinker.tables import schemas
from recthinker.tables.arrow import data_actions, open_table
from recthinker.tables.staging import Staged, StagedFile, write_staged

if TYPE_CHECKING:
    from recthinker.features.staged_tables import StagedTables

PAIRS = schemas.CO_INTERACTION_PAIRS
COMPACT_ABOVE = 0.5
"""Bytes that later dates may add to those of a date built from scratch before all are summed into one date again."""
LONG_AGO = (date(1900, 1, 1), datetime(1900, 1, 1))
"""Day and time of a user's earlier events, which stand before all new ones; their `tie` says in which order."""

Files = dict[int, list[str]]
"""Block to the locations of its files, oldest date first."""


def stage_pairs(tables: "StagedTables") -> Staged:
    """The pairs that new events add, written aside or, where those of earlier dates have grown too large, the sum."""
    root = tables.store.path(PAIRS)
    target = {"root": root, "ds": tables.ds, "run": tables.run}
    if tables.base is None:
        blocks = block_count(tables.weighted().count(), tables.settings)
        files = count_pairs(_events(tables), settings=tables.settings, blocks=blocks, **target)
        return Staged(PAIRS.name, tables.ds, (*files, *_empty(blocks, files, **target)))
    earlier, sizes = _published(tables, tables.base.pairs)
    files = count_pairs(_events(tables), settings=tables.settings, blocks=len(earlier), **target)
    if sum(sizes[1:]) + sum(file.size for file in files) > COMPACT_ABOVE * sizes[0]:
        all_files = _with_staged(earlier, root, files)
        files = compact_pairs(tables.store.spark, all_files, root=root, ds=tables.ds, run=f"{tables.run}-sum")
        files = [*files, *_empty(len(earlier), files, **target)]
        tables.summed_pairs = True
    return Staged(PAIRS.name, tables.ds, tuple(files))


def stage_ranking(tables: "StagedTables") -> Staged:
    """`co_interaction` from the pairs of the date and those that they add to, written aside."""
    table, root = schemas.CO_INTERACTION, tables.store.path(PAIRS)
    staged = tables.staged.get(PAIRS.name)
    is_whole = tables.base is None or tables.summed_pairs
    dates = () if is_whole or tables.base is None else tables.base.pairs
    earlier, _ = _published(tables, dates if staged else (*dates, tables.ds))
    files = _with_staged(earlier, root, staged.files if staged else ())
    items = tables.rows(schemas.ITEM_STATE).select("item_id", "number", "paired").toArrow()
    ranked = rank_items(
        tables.store.spark,
        files,
        items,
        settings=tables.settings,
        root=tables.store.path(table),
        ds=tables.ds,
        run=tables.run,
    )
    return Staged(table.name, tables.ds, tuple(ranked))


def _events(tables: "StagedTables") -> DataFrame:
    """The events to pair, with the numbers of their items; on top of a base also each user's newest earlier items."""
    columns = ("user_id", "item_id", "weight", "known_day", "event_time", "tie")
    events = tables.weighted().select(*columns, F.lit(True).alias("is_new"))
    before = tables.before_of_touched(schemas.USER_STATE)
    if before is not None:
        n = tables.settings.co_window
        last = F.when(F.size("recent") > n, F.slice("recent", -n, n)).otherwise(F.col("recent"))
        active = tables.only(before, tables.touched_by_weight)
        items = active.select("user_id", F.posexplode(last).alias("place", "item_id"))
        day, time = (F.lit(value) for value in LONG_AGO)
        values = {"weight": F.lit(1.0), "known_day": day, "event_time": time.cast("timestamp"), "is_new": F.lit(False)}
        earlier = items.withColumns({**values, "tie": F.col("place").cast("long")})
        events = events.unionByName(earlier.drop("place"))
    numbers = tables.rows(schemas.ITEM_STATE).select("item_id", F.col("number").alias("item"))
    return events.join(F.broadcast(numbers), "item_id")


def _published(tables: "StagedTables", dates: Sequence[str]) -> tuple[Files, list[int]]:
    """Files of the dates by block, and the bytes of each date."""
    if not dates:
        return {}, []
    actions = data_actions(open_table(tables.store.root, PAIRS))
    files: Files = {}
    sizes = []
    for ds in dates:
        of_day = actions.filter(pc.equal(actions["partition.ds"], ds))
        sizes.append(pc.sum(of_day["size_bytes"]).as_py() or 0)
        for path, block in zip(of_day["path"].to_pylist(), of_day["partition.block"].to_pylist(), strict=True):
            files.setdefault(int(block), []).append(f"{tables.store.path(PAIRS)}/{path}")
    return files, sizes


def _with_staged(earlier: Files, root: str, files: Iterable[StagedFile]) -> Files:
    together = {block: list(paths) for block, paths in earlier.items()}
    for file in files:
        together.setdefault(int(file.partition["block"]), []).append(f"{root}/{file.path}")
    return together


def _empty(blocks: int, files: Iterable[StagedFile], *, root: str, ds: str, run: str) -> list[StagedFile]:
    """A file without rows for each block that has none: the number of blocks is read off a date's files."""
    there = {int(file.partition["block"]) for file in files}
    names = [column.name for column in PAIRS.columns if column.name not in PAIRS.partition_by]
    rows = pa.schema([PAIRS.arrow_schema().field(name) for name in names]).empty_table()
    return [
        write_staged(root, block_path(block, ds=ds, run=run, name="empty"), rows, {"ds": ds, "block": str(block)})
        for block in range(blocks)
        if block not in there
    ]
