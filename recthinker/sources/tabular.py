"""Any Parquet, CSV (or TSV) and JSON Lines files, with a mapping of the contract's columns to the files'.

Interactions need user_id, item_id and event_time; event_type, rating and ingested_at are taken where they are
there. Items need item_id, users user_id; item columns that are not title, description or categories, and user
columns, become attributes. Text files are read as text, so that ids keep their leading zeros.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType

from recthinker.errors import SourceError
from recthinker.sources.files import first_line, require_columns, require_file
from recthinker.sources.raw import RAW_COLUMNS, RawTable, attributes, raw_table, read_delimited

READER = "tabular"
REQUIRED = {
    "interactions": ("user_id", "item_id", "event_time"),
    "items": ("item_id",),
    "users": ("user_id",),
}
SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson", ".json")
CATEGORY_SEPARATOR = r"\|"


@dataclass(frozen=True)
class Tabular:
    """Files that are there, with the names of their columns."""

    paths: dict[str, Path]
    """Landing table to file, or to a folder of Parquet files."""
    mapping: Mapping[str, str]
    """Contract column to the files' column."""
    name: str = field(default=READER, init=False)

    @property
    def files(self) -> Sequence[Path]:
        """All files that are read."""
        return [file for path in self.paths.values() for file in _files(path)]

    @property
    def options(self) -> dict[str, str]:
        """The mapping."""
        return dict(self.mapping)

    def read(self, spark: SparkSession) -> list[RawTable]:
        """The raw landing tables.

        Raises:
            SourceError: a file is not what its ending says, or lacks a column.
        """
        frames = {table: _read(spark, path) for table, path in self.paths.items()}
        present = {column for df in frames.values() for column in df.columns}
        unknown = sorted(set(self.mapping.values()) - present)
        if unknown:
            raise SourceError(
                f"--mapping names columns that no file has: {', '.join(unknown)}; there: {sorted(present)}"
            )
        return [self._raw(table, df) for table, df in frames.items()]

    def _raw(self, table: str, df: DataFrame) -> RawTable:
        path = self.paths[table]
        back = {theirs: ours for ours, theirs in self.mapping.items() if theirs in df.columns}
        require_columns(path, [back.get(name, name) for name in df.columns], REQUIRED[table])
        df = df.withColumnsRenamed(back)
        shape = {"interactions": _interactions, "items": _items, "users": _users}[table]
        return raw_table(table, shape(df), READER, path)


def open_tabular(
    interactions: Path,
    *,
    items: Path | None = None,
    users: Path | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Tabular:
    """Check that the files are there and of a known kind.

    Raises:
        SourceError: a file is missing, empty or of an unknown kind, or `mapping` has a column that no table
            has.
    """
    paths = {"items": items, "users": users, "interactions": interactions}
    given = {table: path for table, path in paths.items() if path is not None}
    for path in given.values():
        if not _files(path):
            raise SourceError(f"folder {path} holds no Parquet files")
        for file in _files(path):
            require_file(file)
            if _kind(file) == ".parquet":
                _require_parquet(file)
    known = {column for table in given for column in RAW_COLUMNS[table]}
    wrong = sorted(set(mapping or {}) - known)
    if wrong:
        raise SourceError(f"--mapping: no table has the columns {', '.join(wrong)}; valid: {', '.join(sorted(known))}")
    return Tabular(given, dict(mapping or {}))


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.parquet")) if path.is_dir() else [path]


def _kind(path: Path) -> str:
    """The ending that says how to read the file, gzip set aside."""
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if ending not in {".parquet", *SEPARATORS, *JSON_LINES}:
        kinds = ", ".join((".parquet", *SEPARATORS, *JSON_LINES))
        raise SourceError(f"file {path} is of no known kind; known endings: {kinds}, the text kinds also with .gz")
    return ending


def _require_parquet(path: Path) -> None:
    """Look at the footer: a file cut short, or of another kind, is told before Spark starts."""
    try:
        parquet.read_schema(path)
    except pa.ArrowInvalid as error:
        raise SourceError(f"file {path} cannot be read as Parquet: {error}") from error


def _read(spark: SparkSession, path: Path) -> DataFrame:
    kind = ".parquet" if path.is_dir() else _kind(path)
    if kind == ".parquet":
        return spark.read.parquet(str(path))
    if kind in JSON_LINES:
        return spark.read.json(str(path), primitivesAsString=True)
    separator = SEPARATORS[kind]
    return read_delimited(spark, path, first_line(path).split(separator), sep=separator, escape='"')


def _interactions(df: DataFrame) -> DataFrame:
    """Without an event_type, an event is a `rating` where the files rate, else an `interaction`."""
    columns = [F.col(n).cast("string").alias(n) for n in RAW_COLUMNS["interactions"] if n in df.columns]
    event_type = "rating" if "rating" in df.columns else "interaction"
    named = df.select(*columns)
    return named if "event_type" in df.columns else named.withColumn("event_type", F.lit(event_type))


def _items(df: DataFrame) -> DataFrame:
    texts = [F.col(n).cast("string").alias(n) for n in ("item_id", "title", "description") if n in df.columns]
    others = {n: F.col(n) for n in df.columns if n not in RAW_COLUMNS["items"]}
    return df.select(*texts, _categories(df).alias("categories"), attributes(**others).alias("attributes"))


def _users(df: DataFrame) -> DataFrame:
    others = {n: F.col(n) for n in df.columns if n != "user_id"}
    return df.select(F.col("user_id").cast("string"), attributes(**others).alias("attributes"))


def _categories(df: DataFrame) -> Column:
    """An array as it is; a text split at `|`; none where the file has no such column."""
    if "categories" not in df.columns:
        return F.array().cast("array<string>")
    column = F.col("categories")
    if isinstance(df.schema["categories"].dataType, ArrayType):
        texts = column.cast("array<string>")
    else:
        texts = F.split(column.cast("string"), CATEGORY_SEPARATOR)
    return F.filter(F.coalesce(texts, F.array().cast("array<string>")), lambda text: F.trim(text) != "")
