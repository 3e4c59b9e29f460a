"""Delta tables that another team owns, read where they lie, at a version that is resolved once.

How columns are taken: `recthinker.sources.columns`. Of a table that was ingested before, only the files added since are
read, where nothing was removed; else the whole table, and the log says why.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from recthinker.errors import SourceError
from recthinker.sources.columns import Naming
from recthinker.sources.inputs import Input
from recthinker.sources.raw import Ingested, RawTable, raw_table

logger = logging.getLogger(__name__)

READER = "delta"
PLAIN_FEATURES = frozenset({"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"})
"""Reader features with which a data file holds the rows as they are, under the columns' own names."""


@dataclass(frozen=True)
class Delta:
    """Tables that are there, each at the version that is read."""

    tables: Mapping[str, DeltaTable]
    """Landing table to the table read for it."""
    paths: Mapping[str, Path]
    naming: Naming
    name: str = field(default=READER, init=False)

    @property
    def options(self) -> dict[str, str]:
        """The mapping and the type of events."""
        return self.naming.options

    def inputs(self) -> list[Input]:
        """The versions read."""
        return [self._input(table) for table in self.tables]

    def read(self, spark: SparkSession, ingested: Sequence[Ingested] = ()) -> list[RawTable]:
        """The raw landing tables; of a table that `ingested` has at an earlier version, what was added since.

        Raises:
            SourceError: a table lacks a column.
        """
        parts = {table: _Part.since(found, _newest(ingested, table, found)) for table, found in self.tables.items()}
        frames = {table: part.rows(spark, self.paths[table]) for table, part in parts.items()}
        self.naming.require_present(frames.values())
        return [self._raw(table, df, parts[table]) for table, df in frames.items()]

    def _raw(self, table: str, df: DataFrame, part: "_Part") -> RawTable:
        path = self.paths[table]
        raw = raw_table(table, self.naming.raw(table, df, path), READER, path)
        return RawTable(
            table,
            raw.df,
            f"{raw.source}@{part.label}",
            is_part=part.base is not None,
            supersedes=f"{raw.source}@" if part.base is None else None,
        )

    def _input(self, table: str) -> Input:
        found = self.tables[table]
        size = sum(_actions(found)["size_bytes"].to_pylist())
        id_ = str(found.metadata().id)
        return Input(table, self.paths[table], size, table_id=id_, version=found.version())


def open_delta(
    interactions: Path,
    *,
    items: Path | None = None,
    users: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    event_type: str | None = None,
    version: int | None = None,
) -> Delta:
    """Resolve the versions that are read.

    Args:
        interactions: folder of the table of events.
        items: folder of the table of items.
        users: folder of the table of users.
        mapping: contract column to the tables' column.
        event_type: type of all events, where the table has no such column.
        version: of `interactions`; None: the newest. Of `items` and `users` it is always the newest.

    Raises:
        SourceError: there is no such table or version, or `mapping` has a column that no table has.
    """
    paths = {"items": items, "users": users, "interactions": interactions}
    given = {table: path for table, path in paths.items() if path is not None}
    naming = Naming(dict(mapping or {}), event_type)
    naming.require_known(given)
    tables = {table: _open(path, version if table == "interactions" else None) for table, path in given.items()}
    return Delta(tables, given, naming)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is read of a table: all of it, or the files added since `base`."""

    table: DeltaTable
    base: int | None
    added: frozenset[str] = frozenset()
    """Names of the files added."""

    @classmethod
    def since(cls, table: DeltaTable, base: int | None) -> "_Part":
        """The smallest part that holds what was added since the version `base` (None: never read)."""
        if base is None:
            return cls(table, None)
        try:
            added = _added(table, base)
        except (SourceError, DeltaError) as error:
            logger.info("reads whole table path=%s version=%d why=%s", table.table_uri, table.version(), error)
            return cls(table, None)
        return cls(table, base, added)

    @property
    def label(self) -> str:
        """`7`, or `5..7` for what versions after 5 added up to 7."""
        version = str(self.table.version())
        return version if self.base is None else f"{self.base}..{version}"

    def rows(self, spark: SparkSession, path: Path) -> DataFrame:
        whole = spark.read.format("delta").option("versionAsOf", self.table.version()).load(str(path.absolute()))
        if self.base is None:
            return whole
        logger.info("reads added files path=%s versions=%s files=%d", path, self.label, len(self.added))
        return _of_files(spark, self.table, self.added, whole.schema)


def _open(path: Path, version: int | None) -> DeltaTable:
    try:
        return DeltaTable(path, version=version)
    except (DeltaError, OSError) as error:
        at = "" if version is None else f" at version {version}"
        raise SourceError(f"folder {path} holds no Delta table{at}: {error}. Check the path and --version") from error


def _newest(ingested: Sequence[Ingested], name: str, table: DeltaTable) -> int | None:
    """The newest version up to the table's own that was ingested."""
    id_ = str(table.metadata().id)
    versions = [one.version for one in ingested if (one.table, one.table_id) == (name, id_)]
    return max((version for version in versions if version <= table.version()), default=None)


def _added(table: DeltaTable, base: int) -> frozenset[str]:
    """Names of the files that `table` has and its version `base` lacks.

    Raises:
        SourceError: files were removed since, or files alone do not tell the rows.
    """
    features = set(table.protocol().reader_features or ()) - PLAIN_FEATURES
    if features or table.protocol().min_reader_version == 2:
        raise SourceError(
            f"its files alone do not tell the rows: {', '.join(sorted(features)) or 'columns are mapped'}"
        )
    now, then = _names(table), _names(DeltaTable(table.table_uri, version=base))
    if then - now:
        raise SourceError(f"{len(then - now)} files of version {base} were removed")
    return frozenset(now - then)


def _actions(table: DeltaTable) -> pa.Table:
    return pa.table(table.get_add_actions(flatten=True))


def _names(table: DeltaTable) -> set[str]:
    """Names of the files of a version: each holds an id of its own."""
    return {PurePosixPath(path).name for path in _actions(table)["path"].to_pylist()}


def _of_files(spark: SparkSession, table: DeltaTable, names: frozenset[str], schema: StructType) -> DataFrame:
    """Rows of the files named; a partition's values come from the table's log, which spells them as they are."""
    if not names:
        return spark.createDataFrame([], schema)
    files = [uri for uri in table.file_uris() if PurePosixPath(uri).name in names]
    by = table.metadata().partition_columns
    inside = StructType([column for column in schema.fields if column.name not in by])
    rows = spark.read.schema(inside).parquet(*files)
    if not by:
        return rows
    values = [_values(action, by) for action in _actions(table).to_pylist()]
    fields = [StructField("file_name", StringType()), *(schema[name] for name in by)]
    partitions = spark.createDataFrame(values, StructType(fields))
    joined = rows.withColumn("file_name", F.col("_metadata.file_name")).join(F.broadcast(partitions), "file_name")
    return joined.select(*schema.names)


def _values(action: Mapping[str, Any], by: Sequence[str]) -> tuple[Any, ...]:
    return (PurePosixPath(action["path"]).name, *(action[f"partition.{name}"] for name in by))
