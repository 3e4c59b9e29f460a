"""A run's folder as inference leaves it, small: every user ranks a, b, c and is served a, b."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recthinker.inference.figures import shard_summary
from recthinker.inference.plan import InferencePlan
from recthinker.tables.schemas import RECOMMENDATIONS, TRAJECTORIES, Table

DS = "1998-04-22"
RUN_ID = "r1"


def write_night(run_dir: Path, shards: Mapping[int, list[str]], *, status: Mapping[str, str] | None = None) -> None:
    """Plan and shard files for `shards`, users by shard; `status` tells who was not simply ranked."""
    plan = InferencePlan(
        ds=DS,
        run_id=RUN_ID,
        model_version="recthinker/1",
        model_path="model",
        prompt_version="p1",
        snapshot="snapshot",
        shards=list(shards),
        users=sum(map(len, shards.values())),
        table_versions={},
    )
    plan.write(run_dir)
    for shard, users in shards.items():
        outcomes = {user: (status or {}).get(user, "ranked") for user in users}
        folder = run_dir / "shards" / str(shard)
        folder.mkdir(parents=True)
        _write(folder, TRAJECTORIES, [_trajectory(user, outcomes[user]) for user in users])
        _write(folder, RECOMMENDATIONS, [_place(user, rank) for user in users for rank in (1, 2)])
        summary = shard_summary(users=len(users), resumed=0, outcomes=Counter(outcomes.values()), **work(len(users)))
        (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")


def work(users: int) -> dict[str, Any]:
    """What a shard counts: as its rows say, at four users a second."""
    return {"totals": {"prompt": users, "generated": users}, "seconds": users / 4}


def edit_rows(
    run_dir: Path, shard: int, table: Table, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> None:
    """Put `change(rows)` in the place of a shard's rows."""
    folder = run_dir / "shards" / str(shard)
    _write(folder, table, change(pq.read_table(folder / f"{table.name}.parquet").to_pylist()))


def _write(folder: Path, table: Table, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows, table.arrow_schema()), folder / f"{table.name}.parquet")


def _trajectory(user_id: str, status: str) -> dict[str, Any]:
    return {
        "ds": DS,
        "user_id": user_id,
        "status": status,
        "stop_reason": "answered",
        "turns": [{"role": "agent", "text": "answer"}],
        "token_ids": [1, 2],
        "agent_mask": [0, 1],
        "logprobs": [0.0, -0.5],
        "tool_calls": [],
        "tokens": {"prompt": 1, "cached": 0, "generated": 1},
        "ranking": ["a", "b", "c"],
        "scores": [-0.1, -0.2, -0.3],
        "versions": [("model", "recthinker/1")],
        "fingerprint": "f",
    }


def _place(user_id: str, rank: int) -> dict[str, Any]:
    return {
        "ds": DS,
        "user_id": user_id,
        "rank": rank,
        "item_id": "ab"[rank - 1],
        "score": -float(rank),
        "source": "agent",
        "reason": "seen together",
        "model_version": "recthinker/1",
        "run_id": RUN_ID,
    }
