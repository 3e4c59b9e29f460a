"""What every source yields: landing tables as they were read, before any rule is applied.

Raw columns: ids, times, ratings and texts as strings, `categories` an array and `attributes` a map of
strings. A time is Unix seconds, milliseconds or microseconds, or a date and time as in ISO 8601.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from recthinker.sources.inputs import Input

RAW_COLUMNS = {
    "items": ("item_id", "title", "description", "categories", "attributes"),
    "users": ("user_id", "attributes"),
    "item_relations": ("head_item_id", "relation", "tail_id", "tail_label", "tail_item_id"),
    "interactions": ("user_id", "item_id", "event_time", "event_type", "rating", "ingested_at"),
}


@dataclass(frozen=True, slots=True)
class RawTable:
    """One landing table as read."""

    table: str
    df: DataFrame
    """Columns: those of `RAW_COLUMNS`."""
    source: str
    """`reader:folder/file`, kept with the rows."""
    is_part: bool = False
    """Whether it holds only what was added since an earlier ingest of the same table."""
    supersedes: str | None = None
    """Start of the sources whose refused rows these replace; None: only those of `source` itself."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """A version of a Delta table that was ingested before, by the same rules."""

    table: str
    """Landing table that it was read for."""
    table_id: str
    version: int


class Source(Protocol):
    """Outside data that was found to be readable; nothing of it needs Spark before `read`."""

    @property
    def name(self) -> str:
        """The reader."""

    @property
    def options(self) -> Mapping[str, str]:
        """What else, besides the files, decides the rows (layout, mapping)."""

    def inputs(self) -> Sequence[Input]:
        """All that is read; files are read for it, so once is enough."""

    def read(self, spark: SparkSession, ingested: Sequence[Ingested] = ()) -> list[RawTable]:
        """The raw landing tables: `interactions` always, others where the data tell.

        Args:
            spark: session.
            ingested: what need not be read again; files are always read whole.
        """


def raw_table(table: str, df: DataFrame, reader: str, path: Path) -> RawTable:
    """`df` cut to the raw columns of `table`; those it lacks are null."""
    columns = [F.col(n) if n in df.columns else F.lit(None).cast("string").alias(n) for n in RAW_COLUMNS[table]]
    return RawTable(table, df.select(*columns), f"{reader}:{path.parent.name}/{path.name}")


def read_delimited(
    spark: SparkSession, path: Path, columns: Sequence[str], *, header: bool = True, **options: str
) -> DataFrame:
    """A delimited text file, all columns as text under the names given, its header line (if it has one) set
    aside.

    Spark need not look into the file for the names, which saves a job a file.
    """
    schema = StructType([StructField(name, StringType()) for name in columns])
    return spark.read.csv(str(path), schema=schema, header=header, **options)


def attributes(**columns: Column) -> Column:
    """A map of names to values as text; what is null or blank is left out."""
    pairs = [part for name, column in columns.items() for part in (F.lit(name), F.trim(column.cast("string")))]
    if not pairs:
        return F.create_map().cast("map<string,string>")
    return F.map_filter(F.create_map(*pairs), lambda _, value: value != "")
