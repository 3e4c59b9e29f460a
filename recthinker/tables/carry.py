"""The rows of one date carried on to another, but those of some keys: what has not changed is not computed again.

Spark's tasks copy the files with Arrow, which is several times faster than taking nested rows through the JVM. Small
files are put together on the way, so that their number stays what the size of the rows asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from recthinker.tables.arrow import Root, open_table
from recthinker.tables.schemas import Table
from recthinker.tables.staging import StagedFile, open_location, write_staged

TARGET_BYTES = 48 * 2**20
"""Files of less are put together up to this size, compressed; bounds a task's memory too."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a published table."""

    path: str
    """Relative to the table's folder."""
    size: int
    """Bytes."""


def data_files(root: Root, table: Table, ds: str, *, version: int | None = None) -> list[DataFile]:
    """The files that hold the rows of `ds`."""
    actions = pa.table(open_table(root, table, version=version).get_add_actions(flatten=True))
    of_day = actions.filter(pc.equal(actions["partition.ds"], ds))
    return [DataFile(*pair) for pair in zip(of_day["path"].to_pylist(), of_day["size_bytes"].to_pylist(), strict=True)]


def carry(
    spark: SparkSession, root: str, files: Sequence[DataFile], *, key: str, changed: pa.Array, ds: str, run: str
) -> list[StagedFile]:
    """Write the rows of `files` aside for `ds`, without those whose `key` is among `changed`.

    Args:
        spark: the session whose tasks do the work.
        root: the table's folder.
        files: of the date whose rows are carried on.
        key: column of strings.
        changed: keys whose rows are written anew elsewhere.
        ds: logical date of the new rows.
        run: name of this attempt.
    """
    without = spark.sparkContext.broadcast(changed.cast(pa.string()))
    groups = [(n, group) for n, group in enumerate(_grouped(files))]

    def copy(task: tuple[int, list[str]]) -> StagedFile | None:
        number, paths = task
        return _copy(root, paths, key, without.value, f"ds={ds}/{run}/carried-{number:05d}.parquet", ds)

    if not groups:
        return []
    copied = spark.sparkContext.parallelize(groups, len(groups)).map(copy).collect()
    without.destroy()
    return [file for file in copied if file is not None]


def _grouped(files: Sequence[DataFile]) -> list[list[str]]:
    """Files put together in the order of their size, so that small ones meet."""
    groups: list[list[str]] = []
    room = 0
    for file in sorted(files, key=lambda file: file.size):
        if not groups or file.size > room:
            groups.append([])
            room = TARGET_BYTES
        groups[-1].append(file.path)
        room -= file.size
    return groups


def _copy(root: str, paths: list[str], key: str, changed: pa.Array, target: str, ds: str) -> StagedFile | None:
    filesystem, folder = open_location(root)
    parts = [pq.read_table(f"{folder}/{path}", filesystem=filesystem, use_threads=False) for path in paths]
    parts = [part.filter(pc.invert(pc.is_in(part[key], value_set=changed))) for part in parts]
    rows = pa.concat_tables(parts, promote_options="permissive")
    if not rows.num_rows:
        return None
    file = write_staged(root, target, rows.sort_by(key) if len(parts) > 1 else rows, {"ds": ds})
    return replace(file, is_carried=True)
