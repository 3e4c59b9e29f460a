"""Feature rows of one D, by hand, without Spark: 4 users, 6 items. For lookup, tools, agent and inference tests.

ann has seen i1 (newest), i2; bob, cat and dan are her similar users. Co-interaction: i1 -> i3 strong, i2 -> i4 weak.
"""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from recthinker.agent import Agent, CompactFormat, train_tokenizer
from recthinker.lookup import FeatureRows, Snapshot, nightly_requests, write_snapshot
from recthinker.settings import Settings
from recthinker.tables.schemas import (
    CANDIDATES,
    CO_INTERACTION,
    ITEM_METADATA,
    ITEM_RELATION,
    SIMILAR_USERS,
    USER_HISTORY,
    USER_PROFILE,
    Table,
)
from recthinker.tools import BUILT_IN

DS = "2024-03-10"
MIN_USERS = 2
HISTORIES = {"ann": ["i1", "i2"], "bob": ["i3", "i1"], "cat": ["i3", "i4"], "dan": ["i5"]}
"""Newest first."""
OFFERED = {
    "ann": ["i4", "i3", "i5", "i6"],
    "bob": ["i2", "i4"],
    "cat": ["i1", "i2"],
    "dan": ["i1", "i2", "i3"],
}


def features(titles: dict[str, str] | None = None) -> FeatureRows:
    """The feature tables; `titles` replaces titles by item."""
    titles = {f"i{n}": f"Title {n}" for n in range(1, 7)} | (titles or {})
    return FeatureRows(
        user_profile=_rows(USER_PROFILE, [_profile(user) for user in HISTORIES]),
        user_history=_rows(USER_HISTORY, [{"user_id": u, "events": _events(h)} for u, h in HISTORIES.items()]),
        similar_users=_rows(
            SIMILAR_USERS,
            [
                {
                    "user_id": "ann",
                    "neighbours": [{"user_id": u, "similarity": 0.5} for u in ("bob", "cat", "dan")],
                }
            ],
        ),
        item_metadata=_rows(ITEM_METADATA, [_item(n, titles[f"i{n}"]) for n in range(1, 7)]),
        item_relation=_rows(
            ITEM_RELATION,
            [
                {"item_id": "i1", "neighbours": [_edge("directed_by", "Kim"), _edge("actor", "Lee")]},
                {"item_id": "i2", "neighbours": [_edge("actor", "Lee")]},
                {"item_id": "i3", "neighbours": [_edge("directed_by", "Kim")]},
                {"item_id": "i5", "neighbours": [_edge("actor", "Lee")]},
            ],
        ),
        co_interaction=_rows(
            CO_INTERACTION,
            [
                {"item_id": "i1", "neighbours": [_pair("i3", 0.8, 9.0), _pair("i5", 0.1, 0.0)]},
                {"item_id": "i2", "neighbours": [_pair("i4", 0.2, 1.0)]},
            ],
        ),
        versions={"item_metadata": 3},
    )


def candidates() -> pa.Table:
    """The table `candidates`."""
    return _rows(
        CANDIDATES,
        [
            {"user_id": u, "items": [{"item_id": i, "sources": ["popularity"], "score": 1.0} for i in items]}
            for u, items in OFFERED.items()
        ],
    )


def snapshot(folder: Path, *, shards: int = 1, titles: dict[str, str] | None = None) -> Snapshot:
    """The snapshot of all users, written into `folder`."""
    rows = features(titles)
    asked = nightly_requests(candidates(), rows.user_history)
    write_snapshot(folder, asked, rows, ds=DS, shards=shards, min_users=MIN_USERS)
    return Snapshot(folder)


def chat(tool_names: Iterable[str] = BUILT_IN) -> CompactFormat:
    """The compact format with a tokenizer of this world's few words."""
    texts = [*(f"Title {n}" for n in range(1, 7)), "actor", "directed by"]
    return CompactFormat(train_tokenizer(texts, 400, tool_names))


def agent(settings: Settings) -> Agent:
    """An agent of the settings."""
    return Agent.build(chat(), settings.agent, settings.tools)


def _rows(table: Table, rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist([{"ds": DS, **row} for row in rows], table.arrow_schema())


def _events(items: list[str]) -> list[dict[str, object]]:
    return [{"item_id": item, "event_time": 0, "event_type": "view", "rating": None} for item in items]


def _profile(user: str) -> dict[str, object]:
    return {
        "user_id": user,
        "attributes": [("age", "30")],
        "interaction_count": len(HISTORIES[user]),
        "first_time": 0,
        "last_time": 0,
        "top_categories": ["Drama"],
        "mean_rating": 4.0 if user == "ann" else None,
    }


def _item(n: int, title: str) -> dict[str, object]:
    return {
        "item_id": f"i{n}",
        "title": title,
        "categories": ["Drama"] if n % 2 else ["Comedy"],
        "attributes": [],
        "popularity": 10 * n,
        "popularity_rank": 7 - n,
        "mean_rating": None if n == 6 else 3.0,
    }


def _edge(relation: str, label: str) -> dict[str, object]:
    return {"relation": relation, "label": label, "item_id": None}


def _pair(item: str, cosine: float, next_weight: float) -> dict[str, object]:
    return {"item_id": item, "support": 2, "cosine": cosine, "lift": 1.0, "next_weight": next_weight}
