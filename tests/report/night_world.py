"""A plausible night of 60 users and 150 items, from a seed: rows of every table that the report reads.

One title is an attack on the page. Users 1 to 4 did not get the agent's own ranking.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from recthinker.tables.schemas import (
    CANDIDATES,
    ITEM_METADATA,
    RECOMMENDATIONS,
    RUN_MANIFEST,
    TABLE_STATUS,
    TRAJECTORIES,
    USER_HISTORY,
    Table,
)
from tests.report.small_night import METRICS, WHEN, tool_call

DS, RUN_ID, MODEL = "1998-04-22", "scheduled__1998-04-22", "recthinker/3"
USERS, ITEMS, SHOWN, PUBLISHED = 60, 150, 20, 10
STATUSES = {1: "fallback_timeout", 2: "repaired", 3: "unchanged", 4: "unchanged"}
ATTACK = "<script>alert(1)</script>"
FIRST = (
    "Lost",
    "Silent",
    "Broken",
    "Golden",
    "Last",
    "Secret",
    "A Perfect",
    "Hidden",
    "Red",
    "Blue",
    "Dead",
    "Plan B:",
)
SECOND = (
    "City",
    "Garden",
    "Letters",
    "Highway",
    "Promise",
    "Empire",
    "Winter",
    "Witness",
    "Harbour",
    "Game",
    "Music",
)
GENRES = (
    "Drama",
    "Comedy",
    "Action",
    "Thriller",
    "Romance",
    "Adventure",
    "Sci-Fi",
    "Crime",
    "War",
    "Horror",
    "Musical",
)
LETTERS = "ABCDEFGHIJKLMNOPQRST"
Row = dict[str, Any]


def tables(seed: int = 5) -> dict[str, pa.Table]:
    """Every table the report reads, by name."""
    rng = np.random.default_rng(seed)
    items = list(_items(rng))
    users = [_User(rng, n, items) for n in range(1, USERS + 1)]
    rows: dict[Table, list[Row]] = {
        ITEM_METADATA: items,
        USER_HISTORY: [user.history() for user in users],
        CANDIDATES: [user.candidates() for user in users],
        TRAJECTORIES: [user.trajectory() for user in users],
        RECOMMENDATIONS: [row for user in users for row in user.recommendations()],
        RUN_MANIFEST: [_manifest(users)],
    }
    return {
        table.name: pa.Table.from_pylist([{"ds": DS, **row} for row in content], schema=table.arrow_schema())
        for table, content in rows.items()
    }


def write(warehouse: Path, without: str = "") -> None:
    """The night as Delta tables under `warehouse`, all but `without`."""
    for name, table in tables().items():
        if name != without:
            write_deltalake(warehouse / name, table, partition_by=["ds"])


def overwrite(warehouse: Path, name: str, table: pa.Table) -> None:
    """A newer version of one table."""
    write_deltalake(warehouse / name, table, partition_by=["ds"], mode="overwrite")


def write_status(warehouse: Path, rows: list[Row], ds: str = DS) -> None:
    """Rows of table_status: `rows` hold table, checks and warnings, the rest is filled in."""
    filler = {
        "ds": ds,
        "run_id": RUN_ID,
        "built_at": WHEN,
        "hours_late": 1.0,
        "built": "full",
        "definition": "d",
        "inputs": [],
        "version": 0,
        "rows": 1,
        "seconds": 1.0,
    }
    status = pa.Table.from_pylist([filler | row for row in rows], schema=TABLE_STATUS.arrow_schema())
    write_deltalake(warehouse / TABLE_STATUS.name, status, partition_by=["ds"])


def write_stages(run_dir: Path) -> None:
    """The stage times of the run."""
    seconds = {"ingest": 14.2, "build_features": 48.9, "build_candidates": 31.0, "write_snapshot": 3.1}
    seconds |= {"infer_shard-0": 61.4, "infer_shard-1": 58.7, "publish_recommendations": 9.6}
    folder = run_dir / "stages"
    folder.mkdir(parents=True)
    for n, (name, taken) in enumerate(seconds.items()):
        stage = {"stage": name, "seconds": taken, "summary": "", "ended_at": float(n)}
        (folder / f"{name}.json").write_text(json.dumps(stage), encoding="utf-8")


def _items(rng: np.random.Generator) -> Iterator[Row]:
    weights = 0.5 ** np.arange(len(GENRES))
    events = np.sort((400 / np.arange(1, ITEMS + 1) ** 0.9 + rng.poisson(2, ITEMS)).astype(int))[::-1]
    for n in range(ITEMS):
        title = f"{FIRST[n % len(FIRST)]} {SECOND[n // len(FIRST) % len(SECOND)]}" + (" II" if n >= 132 else "")
        genres = rng.choice(GENRES, rng.integers(1, 4), replace=False, p=(weights + 0.05) / (weights + 0.05).sum())
        yield {
            "item_id": f"i{n}",
            "title": ATTACK if n == 0 else title,
            "categories": genres.tolist(),
            "attributes": [],
            "popularity": int(events[n]),
            "popularity_rank": n + 1,
            "mean_rating": round(float(rng.uniform(2.5, 4.6)), 2),
        }


class _User:
    """One user: history, candidates, and an episode whose evidence explains its ranking."""

    def __init__(self, rng: np.random.Generator, number: int, items: list[Row]) -> None:
        self.user_id, self.rng = str(number), rng
        self.status = STATUSES.get(number, "ranked")
        self.titles = {item["item_id"]: item["title"] for item in items}
        chance = np.array([item["popularity"] for item in items], dtype=float) ** 0.8
        length = int(rng.lognormal(3.3, 0.7)) + 5
        drawn = [f"i{n}" for n in rng.choice(ITEMS, min(length, 90) + SHOWN, replace=False, p=chance / chance.sum())]
        self.offered, self.events = drawn[:SHOWN], drawn[SHOWN:]
        self.labelled = [self.offered[n] for n in rng.permutation(SHOWN)]
        strength = rng.normal(0, 1, SHOWN) - 0.08 * np.arange(SHOWN)
        by_strength = sorted(range(SHOWN), key=lambda n: -strength[n])
        is_fallback = self.status.startswith("fallback")
        self.ranking = self.offered if is_fallback else [self.offered[n] for n in by_strength]
        shifted = np.sort(strength)[::-1] * 2
        self.scores = np.round(shifted - np.log(np.exp(shifted).sum()), 4).tolist()

    def history(self) -> Row:
        events = [
            {
                "item_id": i,
                "event_time": WHEN,
                "event_type": "rating",
                "rating": float(self.rng.integers(2, 6)),
            }
            for i in self.events
        ]
        return {"user_id": self.user_id, "events": events}

    def candidates(self) -> Row:
        names = ["co_interaction", "popularity", "als"]
        sources = [sorted(self.rng.choice(names, 1 + (n < 8), replace=False).tolist()) for n in range(SHOWN)]
        items = [{"item_id": i, "sources": s, "score": 0.1 - 0.004 * n} for n, (i, s) in self._places(sources)]
        return {"user_id": self.user_id, "items": items}

    def _places(self, sources: list[list[str]]) -> list[tuple[int, tuple[str, list[str]]]]:
        return list(enumerate(zip(self.offered, sources, strict=True)))

    def trajectory(self) -> Row:
        calls = self._calls()
        prompt = "Rank the candidates for this user, the next choice first. some events " + " ".join(
            f"{letter} {self.titles[item]}" for letter, item in zip(LETTERS, self.labelled, strict=True)
        )
        turns, known = [{"role": "prompt", "text": prompt}], "known"
        for call in calls:
            asked = " ".join(json.loads(call["arguments"]).get("labels", []))
            text = f"{known} sufficient no missing {call['name']} call {call['name']} {asked}".strip()
            turns += [{"role": "agent", "text": text}, {"role": "tool", "text": call["result"]}]
            known += f" {call['name']}"
        if self.status.startswith("fallback"):
            reason = "timeout"
        else:
            turns.append({"role": "agent", "text": f"{known} sufficient yes rank {self._letter(self.ranking[0])}"})
            reason = "answered"
        requests = len(calls) + 2
        return {
            "user_id": self.user_id,
            "status": self.status,
            "stop_reason": reason,
            "turns": turns,
            "token_ids": [1, 2, 3],
            "agent_mask": [0, 1, 1],
            "logprobs": [0.0, -0.1, -0.2],
            "tool_calls": calls,
            "tokens": {
                "prompt": 190 * requests + 40 * requests**2,
                "cached": 170 * requests,
                "generated": 9 * requests,
            },
            "ranking": self.ranking,
            "scores": self.scores,
            "versions": [("labels", json.dumps(self.labelled)), ("model", MODEL)],
            "fingerprint": "f" * 32,
        }

    def recommendations(self) -> list[Row]:
        source = {"repaired": "repaired", "fallback_timeout": "fallback"}.get(self.status, "agent")
        reasons = ("follows recent items", "goes with the history", "chosen by similar users", "popular")
        return [
            {
                "user_id": self.user_id,
                "rank": rank,
                "item_id": item,
                "score": self.scores[rank - 1],
                "source": source,
                "reason": "candidate order" if source == "fallback" else str(self.rng.choice(reasons)),
                "model_version": MODEL,
                "run_id": RUN_ID,
            }
            for rank, item in enumerate(self.ranking[:PUBLISHED], start=1)
        ]

    def _letter(self, item: str) -> str:
        return LETTERS[self.labelled.index(item)]

    def _calls(self) -> list[Row]:
        levels = np.linspace(9, 1, SHOWN).round().astype(int)
        ranked = list(zip([self._letter(item) for item in self.ranking], levels, strict=True))
        together = " ".join(f"{letter} {level} {max(level - 2, 0)}" for letter, level in ranked[:14])
        related = " ".join(f"{letter} {level} directed by" for letter, level in ranked[:5])
        titles = " ".join(self.titles[item] for item in self.events[:8])
        asked = [letter for letter, _ in ranked[:5]]
        calls = [
            tool_call("co_interactions", {}, together, 14),
            tool_call("user_history", {"limit": 8}, titles, 8),
            tool_call("item_relations", {"labels": asked}, related, 5),
            tool_call("user_profile", {}, "Drama Comedy rates 4 24 M technician", 1),
        ]
        return calls[: int(self.rng.choice([0, 1, 2, 3, 4], p=[0.05, 0.5, 0.25, 0.15, 0.05]))]


def _manifest(users: list[_User]) -> Row:
    outcomes: dict[str, int] = {}
    for user in users:
        outcomes[user.status] = outcomes.get(user.status, 0) + 1
    return {
        "run_id": RUN_ID,
        "model_version": MODEL,
        "prompt_version": "9f3a5c1d20be",
        "users": USERS,
        "outcomes": list(outcomes.items()),
        "row_counts": [("trajectories", USERS), ("recommendations", USERS * PUBLISHED)],
        "table_versions": [
            ("candidates", 0),
            ("co_interaction", 2),
            ("item_metadata", 0),
            ("user_history", 0),
        ],
        "seconds": [("infer_shard-0", 61.4)],
        "published_at": WHEN,
        "metrics": list(METRICS.items()),
    }
