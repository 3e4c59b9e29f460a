"""Files of `co_interaction_pairs`, and Spark tasks of one block each."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from recthinker.errors import TableContractError
from recthinker.features.co_interaction.pairs import SCHEMA, Pairs
from recthinker.tables.staging import StagedFile, open_location, write_staged
from recthinker.tables.workers import skip_imports_in_collections


def block_path(block: int, *, ds: str, run: str, name: str = "pairs") -> str:
    """Where the file of a block lies in the folder of `co_interaction_pairs`."""
    return f"ds={ds}/block={block}/{run}/{name}.parquet"


def write_pairs(pairs: Pairs, block: int, *, root: str, ds: str, run: str) -> StagedFile | None:
    """Write the pairs of a block aside; None where there are none."""
    if not len(pairs):
        return None
    return write_staged(root, block_path(block, ds=ds, run=run), pairs.to_table(), {"ds": ds, "block": str(block)})


def read_pairs(uri: str) -> Pairs:
    """The pairs of a file.

    Args:
        uri: a path or URI.

    Raises:
        TableContractError: the file is missing, cannot be read, has other columns or is not sorted by item, neighbour.
    """
    filesystem, path = open_location(uri)
    try:
        # Where the folders are named `ds=...`, no columns are to be made of them.
        rows = pq.read_table(path, filesystem=filesystem, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise TableContractError(f"{_expected(uri)}, found none that can be read: {error}; {REMEDY}") from error
    if rows.schema.types != SCHEMA.types or rows.schema.names != SCHEMA.names:
        found = ", ".join(f"{field.name} {field.type}" for field in rows.schema)
        raise TableContractError(f"{_expected(uri)}, found the columns {found}; {REMEDY}")
    pairs = Pairs.from_table(rows)
    if not np.all(pairs.key[1:] > pairs.key[:-1]):
        raise TableContractError(f"{_expected(uri)}, found a pair out of order or twice; {REMEDY}")
    return pairs


def run_blocks(
    spark: SparkSession, build: Callable[[int], StagedFile | None], blocks: Sequence[int]
) -> list[StagedFile]:
    """The files that `build` writes for `blocks`, in their order; each block is one Spark task.

    Raises:
        TableContractError: as `build` raised it in a task; the first by block.
    """
    if not blocks:
        return []

    def attempt(block: int) -> StagedFile | TableContractError | None:
        skip_imports_in_collections()
        # Handed back as a value: raised in a task, it would be tried again and arrive inside a Java error.
        try:
            return build(block)
        except TableContractError as error:
            return error

    results = spark.sparkContext.parallelize(blocks, len(blocks)).map(attempt).collect()
    for result in results:
        if isinstance(result, TableContractError):
            raise result
    return [result for result in results if isinstance(result, StagedFile)]


REMEDY = "build co_interaction_pairs of its date anew"


def _expected(uri: str) -> str:
    return f"{uri} should be a Parquet file of pairs, sorted by item, neighbour"
