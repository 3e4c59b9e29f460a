"""RecBole's atomic files: `<name>.inter`, `.item`, `.user`, and the knowledge graph `.kg` with its `.link`.

Tab-separated, with typed headers (`item_id:token`). Format:
recbole.io/docs/user_guide/data/atomic_files.html.
"""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from recthinker.sources.files import first_line, require_columns, require_file
from recthinker.sources.raw import RawTable, attributes, raw_table, read_delimited

READER = "movielens"
REQUIRED = {
    "inter": ("user_id", "item_id", "timestamp"),
    "item": ("item_id",),
    "user": ("user_id",),
    "kg": ("head_id", "relation_id", "tail_id"),
    "link": ("item_id", "entity_id"),
}
USER_ATTRIBUTES = ("age", "gender", "occupation")
"""A zip code could identify a person: it is not taken."""


def recbole_files(folder: Path) -> dict[str, Path]:
    """The files by ending: `inter` and `item` always, the others where they are there.

    Raises:
        SourceError: a needed file is missing or empty, or lacks a column.
    """
    inter = min(folder.glob("*.inter"))
    files = {"inter": require_file(inter), "item": require_file(inter.with_suffix(".item"))}
    for ending in ("user", "kg", "link"):
        path = inter.with_suffix(f".{ending}")
        if path.is_file() or (ending == "link" and "kg" in files):
            files[ending] = require_file(path)
    for ending, path in files.items():
        require_columns(path, _columns(path), REQUIRED[ending])
    return files


def read_recbole(spark: SparkSession, files: dict[str, Path]) -> list[RawTable]:
    """The raw landing tables."""
    frames = {ending: _read(spark, path) for ending, path in files.items()}
    tables = [raw_table("items", _items(frames["item"]), READER, files["item"])]
    if "user" in frames:
        tables.append(raw_table("users", _users(frames["user"]), READER, files["user"]))
    if "kg" in frames:
        relations = _relations(frames["kg"], frames["link"])
        tables.append(raw_table("item_relations", relations, READER, files["kg"]))
    tables.append(raw_table("interactions", _interactions(frames["inter"]), READER, files["inter"]))
    return tables


def _columns(path: Path) -> list[str]:
    """Names of the header without their types."""
    return [column.split(":")[0] for column in first_line(path).split("\t")]


def _read(spark: SparkSession, path: Path) -> DataFrame:
    return read_delimited(spark, path, _columns(path), sep="\t", quote="")


def _interactions(inter: DataFrame) -> DataFrame:
    return inter.withColumnRenamed("timestamp", "event_time").withColumn("event_type", F.lit("rating"))


def _items(item: DataFrame) -> DataFrame:
    """`class` (ml-100k) or `genre` (ml-1m) holds the genres, separated by blanks."""
    genres = next((F.col(name) for name in ("class", "genre") if name in item.columns), F.lit(None).cast("string"))
    year = {"year": F.col("release_year")} if "release_year" in item.columns else {}
    return item.select(
        "item_id",
        (F.col("movie_title") if "movie_title" in item.columns else F.lit(None).cast("string")).alias("title"),
        F.filter(F.split(F.coalesce(genres, F.lit("")), r"\s+"), lambda genre: genre != "").alias("categories"),
        attributes(**year).alias("attributes"),
    )


def _users(user: DataFrame) -> DataFrame:
    known = {name: F.col(name) for name in USER_ATTRIBUTES if name in user.columns}
    return user.select("user_id", attributes(**known).alias("attributes"))


def _relations(kg: DataFrame, link: DataFrame) -> DataFrame:
    """Edges whose head is an item; the others say nothing about an item and are not read.

    The relation is the last part of its dotted name. An entity that stands for several items leads, as a
    tail, to the one with the smallest id.
    """
    heads = link.select(F.col("item_id").alias("head_item_id"), F.col("entity_id").alias("head_id"))
    tails = link.groupBy(F.col("entity_id").alias("tail_id")).agg(F.min("item_id").alias("tail_item_id"))
    return (
        kg.join(heads, "head_id", how="inner")
        .join(tails, "tail_id", how="left")
        .withColumn("relation", F.element_at(F.split("relation_id", r"\."), -1))
    )
