"""Any Parquet, CSV (or TSV) and JSON Lines files, with a mapping of the contract's columns to the files'.

How columns are taken: `recthinker.sources.columns`. Text files are read as text, so that ids keep their leading zeros.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession

from recthinker.errors import SourceError
from recthinker.sources.columns import Naming
from recthinker.sources.files import first_line, require_file
from recthinker.sources.inputs import Input, file_input
from recthinker.sources.raw import Ingested, RawTable, raw_table, read_delimited

READER = "tabular"
DELIMITED = (".csv", ".tsv")
JSON_LINES = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True)
class Tabular:
    """Files that are there, with the names of their columns."""

    paths: dict[str, Path]
    """Landing table to file, or to a folder of Parquet files."""
    naming: Naming
    name: str = field(default=READER, init=False)

    @property
    def options(self) -> dict[str, str]:
        """The mapping and the type of events."""
        return self.naming.options

    def inputs(self) -> list[Input]:
        """All files that are read."""
        return [file_input(table, file) for table, path in self.paths.items() for file in _files(path)]

    def read(self, spark: SparkSession, ingested: Sequence[Ingested] = ()) -> list[RawTable]:
        """The raw landing tables.

        Raises:
            SourceError: a file is not what its ending says, or lacks a column.
        """
        frames = {table: _read(spark, path) for table, path in self.paths.items()}
        self.naming.require_present(frames.values())
        return [
            raw_table(table, self.naming.raw(table, df, self.paths[table]), READER, self.paths[table])
            for table, df in frames.items()
        ]


def open_tabular(
    interactions: Path,
    *,
    items: Path | None = None,
    users: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    event_type: str | None = None,
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
    naming = Naming(dict(mapping or {}), event_type)
    naming.require_known(given)
    return Tabular(given, naming)


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.parquet")) if path.is_dir() else [path]


def _kind(path: Path) -> str:
    """The ending that says how to read the file, gzip set aside."""
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if ending not in {".parquet", *DELIMITED, *JSON_LINES}:
        kinds = ", ".join((".parquet", *DELIMITED, *JSON_LINES))
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
    header = first_line(path)
    # Many files named .csv hold tabs; a name of a column holds none.
    separator = "\t" if "\t" in header or kind == ".tsv" else ","
    return read_delimited(spark, path, header.split(separator), sep=separator, escape='"')
