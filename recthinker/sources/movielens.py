"""MovieLens in three layouts, told apart by their files: RecBole's, ml-1m's `.dat`, and the CSV of ml-latest
and ml-25m.

Formats: files.grouplens.org/datasets/movielens (README of each); RecBole's in `recthinker.sources.recbole`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from recthinker.errors import SourceError
from recthinker.sources.files import first_line, require_columns, require_file
from recthinker.sources.inputs import Input, file_input
from recthinker.sources.raw import Ingested, RawTable, attributes, raw_table, read_delimited
from recthinker.sources.recbole import READER, read_recbole, recbole_files

LAYOUTS = {"recbole": "*.inter", "dat": "ratings.dat", "csv": "ratings.csv"}
"""Layout to the file that gives it away."""
DAT_COLUMNS = {
    "ratings": ("user_id", "item_id", "rating", "event_time"),
    "movies": ("item_id", "title", "genres"),
    "users": ("user_id", "gender", "age", "occupation", "zip_code"),
}
CSV_COLUMNS = {
    "ratings": ("userId", "movieId", "rating", "timestamp"),
    "movies": ("movieId", "title", "genres"),
}
CSV_NAMES = {"userId": "user_id", "movieId": "item_id", "timestamp": "event_time"}
TABLE_OF = {
    **{"movies": "items", "users": "users", "ratings": "interactions"},
    **{"item": "items", "user": "users", "kg": "item_relations", "link": "item_relations", "inter": "interactions"},
}
"""Kind of file to the landing table that it is read for."""
NO_GENRES = "(no genres listed)"
TITLE_AND_YEAR = r"^(.*?)\s*\((\d{4})\)\s*$"


@dataclass(frozen=True)
class MovieLens:
    """A MovieLens folder whose files were found and have the columns they should."""

    layout: str
    by_kind: dict[str, Path]
    name: str = field(default=READER, init=False)

    @property
    def options(self) -> dict[str, str]:
        """The layout."""
        return {"layout": self.layout}

    def inputs(self) -> list[Input]:
        """All files that are read."""
        return [file_input(TABLE_OF[kind], path) for kind, path in self.by_kind.items()]

    def read(self, spark: SparkSession, ingested: Sequence[Ingested] = ()) -> list[RawTable]:
        """The raw landing tables."""
        if self.layout == "recbole":
            return read_recbole(spark, self.by_kind)
        read = _read_dat if self.layout == "dat" else _read_csv
        frames = {kind: read(spark, kind, path) for kind, path in self.by_kind.items()}
        frames["ratings"] = frames["ratings"].withColumn("event_type", F.lit("rating"))
        frames["movies"] = _items(frames["movies"])
        return [raw_table(TABLE_OF[kind], df, READER, self.by_kind[kind]) for kind, df in frames.items()]


def open_movielens(folder: Path) -> MovieLens:
    """Find the layout and check its files.

    Raises:
        SourceError: no layout is there, a file is missing or empty, or lacks a column.
    """
    if not folder.is_dir():
        raise SourceError(f"folder {folder} not found; --path should be the folder of a MovieLens data set")
    layout = next((name for name, pattern in LAYOUTS.items() if any(folder.glob(pattern))), None)
    if layout is None:
        there = ", ".join(sorted(p.name for p in folder.iterdir())[:10]) or "nothing"
        raise SourceError(
            f"folder {folder} holds no MovieLens layout: expected one of {', '.join(LAYOUTS.values())}, found {there}"
        )
    if layout == "recbole":
        return MovieLens(layout, recbole_files(folder))
    kinds = DAT_COLUMNS if layout == "dat" else CSV_COLUMNS
    files = {kind: require_file(folder / f"{kind}.{layout}") for kind in kinds}
    for kind, path in files.items():
        _require_layout(layout, kind, path)
    return MovieLens(layout, files)


def _require_layout(layout: str, kind: str, path: Path) -> None:
    if layout == "csv":
        require_columns(path, first_line(path).split(","), CSV_COLUMNS[kind])
        return
    expected, found = DAT_COLUMNS[kind], first_line(path, "latin-1").split("::")
    if len(found) != len(expected):
        raise SourceError(
            f"file {path} should hold {len(expected)} fields a line ({'::'.join(expected)}), "
            f"found {len(found)} in the first; check that it is ml-1m's"
        )


def _read_dat(spark: SparkSession, kind: str, path: Path) -> DataFrame:
    options = {"sep": "::", "encoding": "ISO-8859-1", "quote": ""}
    df = read_delimited(spark, path, DAT_COLUMNS[kind], header=False, **options)
    if kind != "users":
        return df
    known = {name: F.col(name) for name in ("age", "gender", "occupation")}
    return df.select("user_id", attributes(**known).alias("attributes"))


def _read_csv(spark: SparkSession, kind: str, path: Path) -> DataFrame:
    columns = [CSV_NAMES.get(name, name) for name in first_line(path).split(",")]
    return read_delimited(spark, path, columns, escape='"')


def _items(movies: DataFrame) -> DataFrame:
    """Titles end with their year (`Toy Story (1995)`), which becomes an attribute."""
    has_year = F.col("title").rlike(TITLE_AND_YEAR)
    year = F.when(has_year, F.regexp_extract("title", TITLE_AND_YEAR, 2))
    genres = F.when(F.col("genres") == NO_GENRES, F.lit("")).otherwise(F.coalesce("genres", F.lit("")))
    return movies.select(
        "item_id",
        F.when(has_year, F.regexp_extract("title", TITLE_AND_YEAR, 1)).otherwise(F.col("title")).alias("title"),
        F.filter(F.split(genres, r"\|"), lambda genre: genre != "").alias("categories"),
        attributes(year=year).alias("attributes"),
    )
