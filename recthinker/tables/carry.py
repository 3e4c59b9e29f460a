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

from recthinker.tables.arrow import Root, data_actions, open_table
from recthinker.tables.schemas import Table
from recthinker.tables.staging import StagedFile, open_location, write_staged
from recthinker.tables.workers import skip_imports_in_collections

TARGET_BYTES = 48 * 2**20
"""Small files are put together up to this size, compressed; bounds a task's memory too."""
SMALL_BYTES = 8 * 2**20
"""Files of less are put together: sorting them costs more than copying, so larger ones are left as they are."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a published table."""

    path: str
    """Relative to the table's folder."""
    size: int
    """Bytes."""


def data_files(root: Root, table: Table, ds: str, *, version: int | None = None) -> list[DataFile]:
    """The files that hold the rows of `ds`."""
    actions = data_actions(open_table(root, table, version=version))
    of_day = actions.filter(pc.equal(actions["partition.ds"], ds))
    return [DataFile(*pair) for pair in zip(of_day["path"].to_pylist(), of_day["size_bytes"].to_pylist(), strict=True)]


@dataclass(frozen=True, slots=True)
class Carried:
    """The rows of one date in two parts; paths are relative to the table's folder."""

    files: tuple[StagedFile, ...]
    """Rows that are carried on, written aside for the later date."""
    taken: tuple[str, ...]
    """Files of the rows of the keys that were left out. Nothing publishes them: whoever asked removes them."""


def carry(
    spark: SparkSession, root: str, files: Sequence[DataFile], *, key: str, changed: pa.Array, ds: str, run: str
) -> Carried:
    """Write the rows of `files` aside for `ds`: those whose `key` is among `changed` apart from the others.

    Args:
        spark: the session whose tasks do the work.
        root: the table's folder.
        files: of the date whose rows are carried on.
        key: column of strings.
        changed: keys whose rows are written anew elsewhere.
        ds: logical date of the new rows.
        run: name of this attempt.
    """
    if not files:
        return Carried((), ())
    left_out = spark.sparkContext.broadcast(changed.cast(pa.string()))
    groups = list(enumerate(_grouped(files, spark.sparkContext.defaultParallelism)))

    def copy(task: tuple[int, list[str]]) -> tuple[StagedFile | None, StagedFile | None]:
        skip_imports_in_collections()
        number, paths = task
        kept, taken = _split(root, paths, key, left_out.value)
        folder, name = f"ds={ds}/{run}", f"{number:05d}.parquet"
        return _written(root, f"{folder}/carried-{name}", kept, ds), _written(root, f"{folder}/taken-{name}", taken, ds)

    copied = spark.sparkContext.parallelize(groups, len(groups)).map(copy).collect()
    left_out.destroy()
    kept = tuple(replace(file, is_carried=True) for file, _ in copied if file)
    return Carried(kept, tuple(file.path for _, file in copied if file))


def _grouped(files: Sequence[DataFile], tasks: int) -> list[list[str]]:
    """Small files put together, with work for all tasks where there is enough; each other file by itself."""
    share = sum(file.size for file in files) // tasks
    groups = [[file.path] for file in files if file.size >= SMALL_BYTES]
    room = 0
    for file in sorted(files, key=lambda file: file.size):
        if file.size >= SMALL_BYTES:
            break
        if file.size > room:
            groups.append([])
            room = max(SMALL_BYTES, min(TARGET_BYTES, share))
        groups[-1].append(file.path)
        room -= file.size
    return groups


def _split(root: str, paths: list[str], key: str, changed: pa.Array) -> tuple[pa.Table, pa.Table]:
    """The rows of files whose key is not among `changed`, and those whose key is; sorted by key."""
    filesystem, folder = open_location(root)
    parts = [
        pq.read_table(f"{folder}/{path}", filesystem=filesystem, use_threads=False, partitioning=None) for path in paths
    ]
    is_changed = [pc.is_in(part[key], value_set=changed) for part in parts]
    halves = (map(pc.invert, is_changed), is_changed)
    kept, taken = (pa.concat_tables(map(pa.Table.filter, parts, half), promote_options="permissive") for half in halves)
    return (kept.sort_by(key), taken.sort_by(key)) if len(parts) > 1 else (kept, taken)


def _written(root: str, path: str, rows: pa.Table, ds: str) -> StagedFile | None:
    return write_staged(root, path, rows, {"ds": ds}) if rows.num_rows else None
