"""A world small enough to compute by hand: 12 users, 24 items, 72 events in ten days, three kinds of taste.

Users u01-u04 like space (i01-i08), u05-u08 romance (i09-i16), u09-u12 comedy (i17-i24), each with a step
aside. On
purpose: events at the same time (u02, u06, u10), a user with one event (u12), a user that `users` does not
    know (u11), an item that nobody touched (i24), an item without title (i23), events on the last day only
    for some users.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from recthinker.tables.schemas import TABLES
from recthinker.tables.spark import spark_schema
from recthinker.tables.store import TableStore

Row = dict[str, Any]

DS = "2024-03-10"
"""The logical date that sees every event."""
RUN_ID = "tiny"

HISTORIES = {
    "u01": "1T09 i01 5, 1T10 i02 4, 2T09 i03 5, 3T09 i04 4, 5T09 i05 5, 7T09 i06 3, 9T09 i17 2",
    "u02": "1T09 i01 4, 2T09 i02 5, 2T09 i03 4, 4T09 i05 5, 6T09 i07 3, 8T09 i09 2, 10T09 i04 4",
    "u03": "2T12 i02 5, 3T12 i01 4, 4T12 i04 5, 6T12 i06 4, 8T12 i08 3, 9T12 i03 5",
    "u04": "1T15 i03 3, 3T15 i05 4, 5T15 i01 5, 7T15 i02 4, 10T15 i07 5, 10T16 i18 1",
    "u05": "1T09 i09 5, 2T09 i10 4, 3T09 i11 5, 4T09 i12 3, 6T09 i13 4, 8T09 i01 1, 10T09 i14 5",
    "u06": "2T11 i10 4, 3T11 i09 5, 3T11 i12 4, 5T11 i11 5, 7T11 i14 4, 9T11 i19 2",
    "u07": "1T13 i11 4, 2T13 i09 5, 4T13 i10 3, 6T13 i15 4, 8T13 i13 5, 9T13 i16 3",
    "u08": "3T08 i12 5, 4T08 i13 4, 5T08 i09 4, 7T08 i10 5, 10T08 i11 4, 10T09 i02 2",
    "u09": "1T20 i17 5, 2T20 i18 5, 3T20 i19 4, 5T20 i20 4, 7T20 i21 3, 9T20 i03 2, 10T20 i22 4",
    "u10": "2T21 i18 4, 3T21 i17 5, 3T21 i20 4, 3T21 i21 3, 6T21 i19 5, 8T21 i10 1, 10T21 i23 4",
    "u11": "1T22 i19 4, 4T22 i17 4, 5T22 i18 5, 6T22 i22 3, 8T22 i20 5, 9T22 i11 2",
    "u12": "7T23 i17 5",
}
"""Per user: `<day>T<hour> <item> <rating>`, oldest first, in March 2024, UTC."""

TITLE_LIST = (
    "Star Harbor, Far Orbit, Night Comet, Red Planet, Lost Probe, Dark Moon, Deep Signal, Iron Sun, "
    "Paris Letter, Summer Rain, Old Promise, White Wedding, Slow Dance, Rose Garden, Last Train, First Kiss, "
    "Banana Court, Loud Family, Wrong Door, Mad Uncle, Pie Fight, Dog Mayor, , Silent Joke"
)
TITLES = TITLE_LIST.split(", ")
KINDS = ("Sci-Fi", "Romance", "Comedy")
DIRECTORS = {
    "i01": "m.d1",
    "i02": "m.d1",
    "i03": "m.d1",
    "i09": "m.d2",
    "i10": "m.d2",
    "i17": "m.d3",
    "i18": "m.d3",
}
SEQUELS = {"i01": "i02", "i17": "i18"}


def item_ids() -> list[str]:
    """i01 to i24."""
    return [f"i{n:02d}" for n in range(1, 25)]


def interactions() -> list[Row]:
    """Rows of `interactions`, by user, oldest first."""
    return [_event(user, *event.split()) for user, text in HISTORIES.items() for event in text.split(",")]


def items() -> list[Row]:
    """Rows of `items`."""
    return [
        {
            "item_id": item,
            "title": TITLES[n] or None,
            "description": None,
            "categories": [KINDS[n // 8]] + (["Drama"] if n % 4 == 3 else []),
            "attributes": {"year": str(1990 + n)},
        }
        for n, item in enumerate(item_ids())
    ]


def users() -> list[Row]:
    """Rows of `users`: all but u11."""
    return [
        {"user_id": user, "attributes": {"age": str(20 + n), "gender": "FM"[n % 2]}}
        for n, user in enumerate(HISTORIES)
        if user != "u11"
    ]


def item_relations() -> list[Row]:
    """Rows of `item_relations`: three directors and two sequels; of the tails only these have a label."""
    titles = dict(zip(item_ids(), TITLES, strict=True))
    directed = [_edge(item, "directed_by", tail) for item, tail in DIRECTORS.items()]
    sequels = [_edge(item, "sequel", tail, titles[tail], tail) for item, tail in SEQUELS.items()]
    return directed + sequels


def landing_rows() -> dict[str, list[Row]]:
    """Rows of each landing table but `quarantine`, by table name."""
    return {
        "interactions": interactions(),
        "items": items(),
        "users": users(),
        "item_relations": item_relations(),
    }


def frame(spark: SparkSession, table: str, rows: list[Row]) -> DataFrame:
    """`rows` as a Spark frame with the contract's columns and types."""
    names = TABLES[table].column_names
    return spark.createDataFrame([tuple(row[name] for name in names) for row in rows], spark_schema(TABLES[table]))


def frames(spark: SparkSession) -> dict[str, DataFrame]:
    """Each landing table as a Spark frame, by table name."""
    return {table: frame(spark, table, rows) for table, rows in landing_rows().items()}


def land(store: TableStore, tables: Mapping[str, list[Row]] | None = None) -> None:
    """Write landing tables (default: the whole world) under the store's root."""
    for table, rows in (landing_rows() if tables is None else tables).items():
        store.overwrite(TABLES[table], frame(store.spark, table, rows), run_id=RUN_ID)


def write_recbole_files(folder: Path, name: str = "tiny") -> Path:
    """The world in RecBole's layout: `<name>.inter`, `.item`, `.user`, `.kg`, `.link` in `folder`.

    Item `iNN` is the entity `m.iNN`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = {
        "inter": ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
        + [
            f"{r['user_id']}\t{r['item_id']}\t{r['rating']:g}\t{int(r['event_time'].timestamp())}"
            for r in interactions()
        ],
        "item": ["item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"]
        + [
            f"{r['item_id']}\t{r['title'] or ''}\t{r['attributes']['year']}\t{' '.join(r['categories'])}"
            for r in items()
        ],
        "user": ["user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token"]
        + [f"{r['user_id']}\t{r['attributes']['age']}\t{r['attributes']['gender']}\tother\t00000" for r in users()],
        "kg": ["head_id:token\trelation_id:token\ttail_id:token"]
        + ["\t".join((f"m.{r['head_item_id']}", f"film.film.{r['relation']}", _entity(r))) for r in item_relations()],
        "link": ["item_id:token\tentity_id:token"] + [f"{item}\tm.{item}" for item in item_ids()],
    }
    for ending, rows in lines.items():
        (folder / f"{name}.{ending}").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def _entity(edge: Row) -> str:
    """The tail as an entity: items get the prefix that `.link` gives them."""
    return f"m.{edge['tail_item_id']}" if edge["tail_item_id"] else str(edge["tail_id"])


def _event(user: str, when: str, item: str, rating: str) -> Row:
    day, hour = when.split("T")
    event_time = datetime(2024, 3, int(day), int(hour), tzinfo=UTC)
    return {
        "user_id": user,
        "item_id": item,
        "event_time": event_time,
        "event_type": "rating",
        "rating": float(rating),
        "ingested_at": None,
        "source": "tiny",
        "event_date": date(2024, 3, int(day)),
    }


def _edge(head: str, relation: str, tail: str, label: str | None = None, tail_item: str | None = None) -> Row:
    return {
        "head_item_id": head,
        "relation": relation,
        "tail_id": tail,
        "tail_label": label,
        "tail_item_id": tail_item,
    }
