"""A generated snapshot: users with 20 candidates that have titles of several words, and evidence for every tool."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from recthinker.lookup import FeatureRows, Snapshot, nightly_requests, write_snapshot
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

DS = "2026-01-31"
WORDS = """
silent river last summer golden hour iron gate winter light paper moon second city broken arrow hidden garden midnight
train northern star glass house distant thunder little giant red desert
""".split()  # noqa: SIM905 - thirty quoted words would be harder to read
NEIGHBOURS = 30
"""Of an item, and of a user."""


@dataclass(frozen=True, slots=True)
class AgentWorld:
    """Sizes of a generated world."""

    users: int
    items: int = 2_000
    candidates: int = 20
    history: int = 30
    seed: int = 5
    hostile: tuple[str, ...] = ()
    """Titles of the first items, in place of generated ones."""

    def titles(self) -> list[str]:
        """A title of three to five words for each item, but for the hostile ones."""
        rng = np.random.default_rng(self.seed)
        titles = [" ".join(rng.choice(WORDS, size=rng.integers(3, 6))).title() for _ in range(self.items)]
        return [*self.hostile, *titles[len(self.hostile) :]]

    def write(self, folder: Path, *, changed: float = 0.0) -> Snapshot:
        """The snapshot; a share `changed` of the users has other candidates than with `changed` 0."""
        users, items = [f"u{n:06d}" for n in range(self.users)], [f"i{n}" for n in range(self.items)]
        lists = self._lists(self.candidates + self.history)
        shown, history = lists[:, : self.candidates].copy(), lists[:, self.candidates :]
        others = np.random.default_rng(self.seed + 2).random(self.users) < changed
        shown[others] = (shown[others] + 1) % self.items
        rows = self._features(users, items, history)
        offered = [
            {"user_id": user, "items": [{"item_id": items[i], "sources": ["generated"], "score": 1.0} for i in row]}
            for user, row in zip(users, shown, strict=True)
        ]
        asked = nightly_requests(_rows(CANDIDATES, offered), rows.user_history)
        write_snapshot(folder, asked, rows, ds=DS, shards=1, min_users=2)
        return Snapshot(folder)

    def _lists(self, length: int) -> np.ndarray:
        """Different items for each user, (U, length)."""
        rng = np.random.default_rng(self.seed + 1)
        return np.stack([rng.choice(self.items, size=length, replace=False) for _ in range(self.users)])

    def _features(self, users: list[str], items: list[str], history: np.ndarray) -> FeatureRows:
        rng = np.random.default_rng(self.seed + 3)
        near = [rng.choice(self.items, size=NEIGHBOURS, replace=False) for _ in items]
        alike = [rng.choice(self.users, size=min(NEIGHBOURS, self.users), replace=False) for _ in users]
        return FeatureRows(
            user_profile=_rows(USER_PROFILE, [_profile(user, history.shape[1]) for user in users]),
            user_history=_rows(
                USER_HISTORY,
                [
                    {"user_id": user, "events": [_event(items[item]) for item in row]}
                    for user, row in zip(users, history, strict=True)
                ],
            ),
            similar_users=_rows(
                SIMILAR_USERS,
                [
                    {"user_id": user, "neighbours": [{"user_id": users[n], "similarity": 0.5} for n in row]}
                    for user, row in zip(users, alike, strict=True)
                ],
            ),
            item_metadata=_rows(
                ITEM_METADATA,
                [_item(items[n], title, n, self.items) for n, title in enumerate(self.titles())],
            ),
            item_relation=_rows(
                ITEM_RELATION, [{"item_id": item, "neighbours": [_edge(n)]} for n, item in enumerate(items)]
            ),
            co_interaction=_rows(
                CO_INTERACTION,
                [
                    {"item_id": item, "neighbours": [_pair(items[n], place) for place, n in enumerate(row, start=1)]}
                    for item, row in zip(items, near, strict=True)
                ],
            ),
            versions={},
        )


def _rows(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([{"ds": DS, **row} for row in rows], table.arrow_schema())


def _profile(user: str, events: int) -> dict[str, Any]:
    return {
        "user_id": user,
        "attributes": [("age", "30")],
        "interaction_count": events,
        "first_time": 0,
        "last_time": 0,
        "top_categories": ["Drama", "Comedy"],
        "mean_rating": 4.0,
    }


def _event(item: str) -> dict[str, Any]:
    return {"item_id": item, "event_time": 0, "event_type": "view", "rating": None}


def _item(item: str, title: str, number: int, items: int) -> dict[str, Any]:
    return {
        "item_id": item,
        "title": title,
        "categories": ["Drama" if number % 2 else "Comedy"],
        "attributes": [],
        "popularity": items - number,
        "popularity_rank": number + 1,
        "mean_rating": 1.0 + number % 5,
    }


def _edge(number: int) -> dict[str, Any]:
    return {"relation": "actor", "label": f"Actor {number % 97}", "item_id": None}


def _pair(item: str, place: int) -> dict[str, Any]:
    return {"item_id": item, "support": 2, "cosine": 0.5 / place, "lift": 1.0, "next_weight": 9.0 / place}
