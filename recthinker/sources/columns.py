"""Columns of tables that others made into the raw columns, by a mapping; shared by tabular files and Delta tables.

Interactions need user_id, item_id and event_time; event_type, rating and ingested_at are taken where they are there.
Items need item_id, users user_id; item columns that are not title, description or categories, and user columns, become
attributes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType

from recthinker.errors import SourceError
from recthinker.sources.files import require_columns
from recthinker.sources.raw import RAW_COLUMNS, attributes

REQUIRED = {
    "interactions": ("user_id", "item_id", "event_time"),
    "items": ("item_id",),
    "users": ("user_id",),
}
CATEGORY_SEPARATOR = r"\|"


@dataclass(frozen=True, slots=True)
class Naming:
    """What the contract's columns are called in the data, and what its events are."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    """Contract column to the data's column."""
    event_type: str | None = None
    """Type of all events, where the data have no such column."""

    @property
    def options(self) -> dict[str, str]:
        """All of it, as options of a source."""
        return {**self.mapping, **({"--event-type": self.event_type} if self.event_type else {})}

    def require_known(self, tables: Iterable[str]) -> None:
        """Make sure that the mapping names columns of `tables` only.

        Raises:
            SourceError: a column is of none of them; the valid ones are named.
        """
        known = {column for table in tables for column in RAW_COLUMNS[table]}
        wrong = sorted(set(self.mapping) - known)
        if wrong:
            valid = ", ".join(sorted(known))
            raise SourceError(f"--mapping: no table has the columns {', '.join(wrong)}; valid: {valid}")

    def require_present(self, frames: Iterable[DataFrame]) -> None:
        """Make sure that each column that the mapping names is in one of `frames`.

        Raises:
            SourceError: one is in none; what is there is named.
        """
        present = {column for df in frames for column in df.columns}
        unknown = sorted(set(self.mapping.values()) - present)
        if unknown:
            raise SourceError(
                f"--mapping names columns that no file has: {', '.join(unknown)}; there: {sorted(present)}"
            )

    def raw(self, table: str, df: DataFrame, path: Path) -> DataFrame:
        """`df` with the raw columns of `table`, as far as it has them.

        Raises:
            SourceError: a column that is needed is missing, or events have a type of their own besides the one given.
        """
        back = {theirs: ours for ours, theirs in self.mapping.items() if theirs in df.columns}
        require_columns(path, [back.get(name, name) for name in df.columns], REQUIRED[table])
        df = df.withColumnsRenamed(back)
        if table == "items":
            return _items(df)
        return _users(df) if table == "users" else self._interactions(df, path)

    def _interactions(self, df: DataFrame, path: Path) -> DataFrame:
        """Without a type, an event is a `rating` where the data rate, else an `interaction`."""
        columns = [F.col(n).cast("string").alias(n) for n in RAW_COLUMNS["interactions"] if n in df.columns]
        named = df.select(*columns)
        if "event_type" not in df.columns:
            usual = "rating" if "rating" in df.columns else "interaction"
            return named.withColumn("event_type", F.lit(self.event_type or usual))
        if self.event_type:
            raise SourceError(
                f"file {path} has a column event_type, so --event-type {self.event_type} would hide it; leave it out"
            )
        return named


def _items(df: DataFrame) -> DataFrame:
    texts = [F.col(n).cast("string").alias(n) for n in ("item_id", "title", "description") if n in df.columns]
    others = {n: F.col(n) for n in df.columns if n not in RAW_COLUMNS["items"]}
    return df.select(*texts, _categories(df).alias("categories"), attributes(**others).alias("attributes"))


def _users(df: DataFrame) -> DataFrame:
    others = {n: F.col(n) for n in df.columns if n != "user_id"}
    return df.select(F.col("user_id").cast("string"), attributes(**others).alias("attributes"))


def _categories(df: DataFrame) -> Column:
    """An array as it is; a text split at `|`; none where the data have no such column."""
    if "categories" not in df.columns:
        return F.array().cast("array<string>")
    column = F.col("categories")
    if isinstance(df.schema["categories"].dataType, ArrayType):
        texts = column.cast("array<string>")
    else:
        texts = F.split(column.cast("string"), CATEGORY_SEPARATOR)
    return F.filter(F.coalesce(texts, F.array().cast("array<string>")), lambda text: F.trim(text) != "")
