"""MovieLens in its three layouts: the same few rows come out; what cannot be read says why."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from recthinker.errors import SourceError
from recthinker.sources.movielens import open_movielens
from tests import tiny_world

DAT = {
    "ratings.dat": "1::1193::5::978300760\n1::661::3::978302109\n",
    "movies.dat": "1193::Cuckoo's Nest (1975)::Drama\n661::Mis\xe9rables, Les (1995)::Drama|Musical\n",
    "users.dat": "1::F::1::10::48067\n",
}
CSV = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,1193,5.0,978300760\n1,661,3.0,978302109\n",
    "movies.csv": 'movieId,title,genres\n1193,"Nest, ""Big"" (1975)",Drama\n661,Tea,(no genres listed)\n',
}


def write(folder: Path, files: dict[str, str], encoding: str = "utf-8") -> Path:
    """`files` by name in `folder`."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding=encoding)
    return folder


def rows_of(spark: SparkSession, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The raw rows by table."""
    raw = open_movielens(folder).read(spark)
    return {table.table: [row.asDict() for row in table.df.collect()] for table in raw}


@pytest.mark.spark
def test_recbole_layout_yields_the_tiny_world(spark: SparkSession, tmp_path: Path) -> None:
    rows = rows_of(spark, tiny_world.write_recbole_files(tmp_path / "tiny"))
    items = {row["item_id"]: row for row in rows["items"]}
    assert items["i04"]["title"] == "Red Planet"
    assert items["i04"]["categories"] == ["Sci-Fi", "Drama"]
    assert items["i04"]["attributes"] == {"year": "1993"}
    assert items["i23"]["title"] is None
    users = {row["user_id"]: row["attributes"] for row in rows["users"]}
    assert users["u01"] == {"age": "20", "gender": "F", "occupation": "other"}
    assert len(rows["interactions"]) == len(tiny_world.interactions())
    assert {row["event_type"] for row in rows["interactions"]} == {"rating"}
    edges = {(r["head_item_id"], r["relation"], r["tail_id"]): r["tail_item_id"] for r in rows["item_relations"]}
    assert edges[("i01", "directed_by", "m.d1")] is None
    assert edges[("i01", "sequel", "m.i02")] == "i02"
    assert len(edges) == len(tiny_world.item_relations())


@pytest.mark.spark
def test_edges_from_no_item_are_not_read(spark: SparkSession, tmp_path: Path) -> None:
    folder = tiny_world.write_recbole_files(tmp_path / "tiny")
    with (folder / "tiny.kg").open("a", encoding="utf-8") as kg:
        kg.write("m.d1\tfilm.director.film\tm.i01\n")
    heads = {row["head_item_id"] for row in rows_of(spark, folder)["item_relations"]}
    assert heads == {row["head_item_id"] for row in tiny_world.item_relations()}


@pytest.mark.spark
def test_dat_layout(spark: SparkSession, tmp_path: Path) -> None:
    rows = rows_of(spark, write(tmp_path, DAT, "latin-1"))
    assert [(r["user_id"], r["item_id"], r["rating"], r["event_time"]) for r in rows["interactions"]] == [
        ("1", "1193", "5", "978300760"),
        ("1", "661", "3", "978302109"),
    ]
    assert [(r["title"], r["categories"], r["attributes"]) for r in rows["items"]] == [
        ("Cuckoo's Nest", ["Drama"], {"year": "1975"}),
        ("Misérables, Les", ["Drama", "Musical"], {"year": "1995"}),
    ]
    assert rows["users"] == [{"user_id": "1", "attributes": {"gender": "F", "age": "1", "occupation": "10"}}]


@pytest.mark.spark
def test_csv_layout(spark: SparkSession, tmp_path: Path) -> None:
    rows = rows_of(spark, write(tmp_path, CSV))
    assert [(r["item_id"], r["rating"]) for r in rows["interactions"]] == [("1193", "5.0"), ("661", "3.0")]
    assert [(r["title"], r["categories"], r["attributes"]) for r in rows["items"]] == [
        ('Nest, "Big"', ["Drama"], {"year": "1975"}),
        ("Tea", [], {}),
    ]
    assert set(rows) == {"interactions", "items"}


def test_unreadable_folders_say_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"folder .* not found"):
        open_movielens(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match=r"one of \*\.inter, ratings\.dat, ratings\.csv, found notes\.txt"):
        open_movielens(tmp_path)
    write(tmp_path, {"ratings.csv": CSV["ratings.csv"]})
    with pytest.raises(SourceError, match=r"file .*movies\.csv not found; in .*: notes\.txt, ratings\.csv"):
        open_movielens(tmp_path)
    write(tmp_path, {"movies.csv": ""})
    with pytest.raises(SourceError, match=r"movies\.csv is empty"):
        open_movielens(tmp_path)
    write(tmp_path, {"movies.csv": "movieId,name\n"})
    with pytest.raises(SourceError, match="lacks the columns title, genres; columns there: movieId, name"):
        open_movielens(tmp_path)


def test_dat_with_other_fields_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {**DAT, "ratings.dat": "1,1193,5,978300760\n"})
    with pytest.raises(SourceError, match=r"should hold 4 fields a line .* found 1 in the first"):
        open_movielens(tmp_path)


def test_recbole_header_without_a_column_is_refused(tmp_path: Path) -> None:
    folder = tiny_world.write_recbole_files(tmp_path / "tiny")
    (folder / "tiny.inter").write_text("user_id:token\titem_id:token\nu1\ti1\n")
    with pytest.raises(SourceError, match="lacks the columns timestamp; columns there: user_id, item_id"):
        open_movielens(folder)
