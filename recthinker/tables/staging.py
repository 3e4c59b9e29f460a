"""Rows written aside: Parquet files in a table's folder that no Delta commit names yet, so that no reader sees them.

They are checked where they lie and then taken into the table by one commit (`TableStore.publish`), without being
written again. What a killed run leaves behind stays unseen and goes with the next clean-up (VACUUM). The functions
here need neither Spark nor a driver: Spark's tasks call them too.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

COMPRESSION = "zstd"
ROW_GROUP_ROWS = 128 * 1024


@dataclass(frozen=True, slots=True)
class StagedFile:
    """One Parquet file that waits for its commit."""

    path: str
    """Relative to the table's folder."""
    rows: int
    size: int
    """Bytes."""
    partition: Mapping[str, str]
    """Values of the table's partition columns; the file does not hold these columns."""
    stats: str
    """Delta statistics as JSON: rows, and bounds and nulls of plain columns."""
    is_carried: bool = False
    """Whether its rows are those of an earlier date, unchanged."""


@dataclass(frozen=True, slots=True)
class Staged:
    """All rows of one table for one date, written aside."""

    table: str
    ds: str
    files: Sequence[StagedFile] = field(default_factory=tuple)

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)


def write_staged(root: str, path: str, rows: pa.Table, partition: Mapping[str, str]) -> StagedFile:
    """Write `rows` to `root`/`path` and describe the file.

    Args:
        root: the table's folder, a local path or a URI.
        path: relative, `ds=<D>/<run>/<name>.parquet`.
        rows: columns of the table without its partition columns, sorted by key.
        partition: values of the partition columns.
    """
    filesystem, folder = open_location(root)
    target = f"{folder}/{path}"
    filesystem.create_dir(target.rsplit("/", 1)[0], recursive=True)
    pq.write_table(
        rows,
        target,
        filesystem=filesystem,
        compression=COMPRESSION,
        compression_level=1,
        row_group_size=ROW_GROUP_ROWS,
        coerce_timestamps="us",
        # Plain columns only: of what is inside lists nobody asks for bounds, and finding them takes time.
        write_statistics=rows.column_names,
    )
    return describe(root, path, partition)


def remove_files(root: str, paths: Iterable[str]) -> None:
    """Remove files that no commit names, as far as they are there; paths are relative to the table's folder."""
    filesystem, folder = open_location(root)
    for path in paths:
        with suppress(FileNotFoundError):
            filesystem.delete_file(f"{folder}/{path}")


def describe(root: str, path: str, partition: Mapping[str, str]) -> StagedFile:
    """The description of a Parquet file that lies at `root`/`path`."""
    filesystem, folder = open_location(root)
    target = f"{folder}/{path}"
    metadata = pq.read_metadata(target, filesystem=filesystem)
    size = filesystem.get_file_info(target).size
    return StagedFile(path, metadata.num_rows, size, dict(partition), json.dumps(_stats(metadata)))


def open_location(location: str) -> tuple[fs.FileSystem, str]:
    """The file system of a path or URI (`s3a://` is read as `s3://`), and the path in it."""
    if "://" not in location:
        return fs.LocalFileSystem(), location.rstrip("/")
    filesystem, path = fs.FileSystem.from_uri(location.replace("s3a://", "s3://", 1))
    return filesystem, path.rstrip("/")


def _stats(metadata: pq.FileMetaData) -> dict[str, object]:
    """Bounds of the string and number columns at the top level, over all row groups."""
    bounds: dict[str, tuple[object, object, int]] = {}
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            column = metadata.row_group(group).column(index)
            found = column.statistics
            if "." in column.path_in_schema or found is None or not found.has_min_max or not found.has_null_count:
                continue
            if isinstance(found.min, str | int | float):
                low, high, nulls = bounds.get(column.path_in_schema, (found.min, found.max, 0))
                bounds[column.path_in_schema] = (
                    min(low, found.min),
                    max(high, found.max),
                    nulls + found.null_count,
                )
    return {
        "numRecords": metadata.num_rows,
        "minValues": {name: low for name, (low, _, _) in bounds.items()},
        "maxValues": {name: high for name, (_, high, _) in bounds.items()},
        "nullCount": {name: nulls for name, (_, _, nulls) in bounds.items()},
    }
