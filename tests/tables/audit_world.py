"""Rows of one date that keep every rule: 3 users, 3 items, 5 events (u1: i1 i2, u2: i1, u3: i1 i3)."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from recthinker.tables.check_files import BEFORE
from recthinker.tables.schemas import TABLES

Row = dict[str, Any]
Rows = dict[str, list[Row]]

DS = "2024-03-10"
OLD, NEW = datetime(2024, 3, 8, tzinfo=UTC), datetime(2024, 3, 9, tzinfo=UTC)
OWNED = {"u1": ["i1", "i2"], "u2": ["i1"], "u3": ["i1", "i3"]}
"""Items by user, newest first."""
EVENTS = {"i1": 3, "i2": 1, "i3": 1}
STATUS_DATES = ("2024-03-07", "2024-03-08", "2024-03-09")


def rows() -> Rows:
    """Rows by the name that a check gives them in braces, those of the date before included."""
    tables: Rows = {
        "user_profile": [profile(user) for user in OWNED],
        "user_history": [
            {"user_id": user, "events": list(map(event, items, (NEW, OLD)))} for user, items in histories()
        ],
        "similar_users": [similar("u1", "u2"), similar("u2", "u1")],
        "item_metadata": [item(item_id, rank) for rank, item_id in enumerate(EVENTS, start=1)],
        "item_relation": [{"item_id": "i1", "neighbours": [edge("directed_by", None), edge("sequel", "i2")]}],
        "co_interaction": [neighbours("i1", "i2"), neighbours("i2", "i1")],
        "user_state": [user_state(user) for user in OWNED],
        "item_state": [item_state(item_id, number) for number, item_id in enumerate(EVENTS)],
        "co_interaction_pairs": [pair(0, 1), pair(1, 0)],
        "candidates": [offer("u1", "i3"), offer("u2", "i2", "i3"), offer("u3", "i2")],
    }
    before = {name + BEFORE: tables[name] for name in ("user_profile", "similar_users", "item_metadata")}
    status = [{"ds": ds, "table": name, "rows": len(tables[name])} for ds in STATUS_DATES for name in tables]
    return {**tables, **before, "table_status": status}


def frames(spark: SparkSession, content: Rows, names: Collection[str]) -> dict[str, DataFrame]:
    """Some of the rows as frames, which take nulls where the contract does not."""
    return {name: frame(spark, name, content[name]) for name in names if name in content}


def frame(spark: SparkSession, name: str, content: list[Row]) -> DataFrame:
    """Rows as a frame of the contract's columns; what is not given is null."""
    schema = TABLES[name.removesuffix(BEFORE)].arrow_schema()
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    return spark.createDataFrame(pa.Table.from_pylist([{"ds": DS, **row} for row in content], schema=nullable))


def histories() -> list[tuple[str, list[str]]]:
    """Users and their items."""
    return list(OWNED.items())


def event(item_id: str | None, when: datetime | None) -> Row:
    """One event of a history."""
    return {"item_id": item_id, "event_time": when, "event_type": "rating", "rating": 4.0}


def profile(user: str) -> Row:
    """A profile; every rating is 4."""
    n = len(OWNED[user])
    times = {"first_time": OLD if n > 1 else NEW, "last_time": NEW}
    return {
        "user_id": user,
        "attributes": [],
        "interaction_count": n,
        "top_categories": [],
        "mean_rating": 4.0,
        **times,
    }


def similar(user: str, other: str | None, similarity: float | None = 0.5) -> Row:
    """A list of one similar user."""
    return {"user_id": user, "neighbours": [{"user_id": other, "similarity": similarity}]}


def item(item_id: str, rank: int) -> Row:
    """An item."""
    known = {"title": item_id, "categories": [], "attributes": [], "mean_rating": 4.0}
    return {"item_id": item_id, "popularity": EVENTS[item_id], "popularity_rank": rank, **known}


def edge(relation: str | None, item_id: str | None) -> Row:
    """An edge of the knowledge graph."""
    return {"relation": relation, "label": "a label", "item_id": item_id}


def neighbours(item_id: str, other: str | None, **values: float | None) -> Row:
    """A list of one neighbour."""
    strength = {"support": 1, "cosine": 3**-0.5, "lift": 5 / 3, "next_weight": 0.0, **values}
    return {"item_id": item_id, "neighbours": [{"item_id": other, **strength}]}


def user_state(user: str) -> Row:
    """A user's state: all events are ratings."""
    n = len(OWNED[user])
    sums = {"rating_count": n, "rating_total": 4 * n, "category_counts": [("Drama", n)]}
    return {"user_id": user, "last_day": date(2024, 3, 9), "recent": OWNED[user][::-1], **sums}


def item_state(item_id: str, number: int) -> Row:
    """An item's state: all events are ratings and have a weight."""
    n = EVENTS[item_id]
    sums = {"events": n, "paired": n, "rating_count": n, "rating_total": 4 * n, "recent_users": [1]}
    return {"item_id": item_id, "number": number, **sums}


def pair(item_number: int, neighbour: int, **values: int) -> Row:
    """A pair, one way."""
    return {"block": 0, "item": item_number, "neighbour": neighbour, "support": 1, "next_weight": 0, **values}


def offer(user: str, *items: str | None) -> Row:
    """A list of candidates."""
    return {"user_id": user, "items": [{"item_id": i, "sources": ["als"], "score": 0.1} for i in items]}
