"""Many files of a block as one: for when a table's nights have grown next to the date built from scratch."""

from collections.abc import Mapping, Sequence
from functools import partial

from pyspark.sql import SparkSession

from recthinker.features.co_interaction.files import read_pairs, run_blocks, write_pairs
from recthinker.features.co_interaction.pairs import sum_pairs
from recthinker.tables.staging import StagedFile


def compact_pairs(
    spark: SparkSession, pair_files: Mapping[int, Sequence[str]], *, root: str, ds: str, run: str
) -> list[StagedFile]:
    """Sum the files of each block into one, as if `ds` had been built from scratch.

    Args:
        spark: the session.
        pair_files: paths or URIs of all files of a block, from the last date built from scratch to `ds`.
        root: folder of `co_interaction_pairs`.
        ds: logical date.
        run: id of the run.

    Returns:
        The files, by block.

    Raises:
        TableContractError: as `read_pairs`.
    """
    compact = partial(_compact, pair_files={**pair_files}, root=root, ds=ds, run=run)
    return run_blocks(spark, compact, sorted(pair_files))


def _compact(block: int, *, pair_files: Mapping[int, Sequence[str]], root: str, ds: str, run: str) -> StagedFile | None:
    pairs = sum_pairs([read_pairs(uri) for uri in pair_files[block]])
    return write_pairs(pairs, block, root=root, ds=ds, run=run)
