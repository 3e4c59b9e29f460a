"""A night small enough to compute by hand: 3 users, 5 items, 2 published places each.

Items: i1 popular .. i5 never seen. u1 and u2 are ranked by the agent, u3 falls back to the candidate order.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from recthinker.report import Night, Rows, Stage
from recthinker.report.data import STORY_COLUMNS
from recthinker.tables.schemas import (
    CANDIDATES,
    ITEM_METADATA,
    RECOMMENDATIONS,
    TRAJECTORIES,
    USER_HISTORY,
    Table,
)
from recthinker.tools import BUILT_IN

DS, RUN_ID, MODEL = "1998-04-22", "manual", "recthinker/3"
TITLES = {
    "i1": "Heat",
    "i2": "<script>alert('x')</script>",
    "i3": "A Little Princess",
    "i4": "Plan B",
    "i5": "Fargo",
}
EVENTS = {"i1": 8, "i2": 4, "i3": 2, "i4": 1, "i5": 0}
CATEGORIES = {"i1": ["Crime"], "i2": ["Crime", "Drama"], "i3": ["Drama"], "i4": [], "i5": ["Drama"]}
HISTORIES = {"u1": ["i1"], "u2": ["i1", "i2"], "u3": ["i1", "i1", "i3", "i1"]}
CANDIDATES_OF = {"u1": ["i2", "i3", "i4"], "u2": ["i3", "i4", "i5"], "u3": ["i2", "i4", "i5"]}
RANKINGS = {"u1": ["i4", "i2", "i3"], "u2": ["i3", "i4", "i5"], "u3": ["i2", "i4", "i5"]}
PUBLISHED = 2
WHEN = datetime(1998, 4, 22, 12, tzinfo=UTC)
# 3 users in 12 s of work; 440 tokens computed and 30 written (see test_effort)
METRICS = {
    "resumed": 0.0,
    "seconds": 12.0,
    "tool_calls": 3.0,
    "tool_faults": 0.0,
    "tokens.prompt": 1100.0,
    "tokens.cached": 660.0,
    "tokens.computed": 440.0,
    "tokens.generated": 30.0,
    "users_per_s": 3 / 12,
    "tokens_per_s.computed": 440 / 12,
    "tokens_per_s.generated": 30 / 12,
    "cache_hit_share": 0.6,
}


def arrow(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as Arrow, with the contract's columns and types; `ds` is filled in."""
    return pa.Table.from_pylist([{"ds": DS, **row} for row in rows], schema=table.arrow_schema())


def tool_call(name: str, arguments: dict[str, Any], result: str, rows: int, *, ok: bool = True) -> dict[str, Any]:
    """One entry of `tool_calls`."""
    return {
        "name": name,
        "arguments": json.dumps(arguments),
        "result": result,
        "rows": rows,
        "ok": ok,
        "keys": [],
        "tables": [],
        "levels": BUILT_IN[name].evidence,
    }


CALLS = {
    # labels of u1, in the order shown: A = i3, B = i4, C = i2
    "u1": [
        tool_call("user_history", {"limit": 8}, "A Little Princess Drama", 1),
        tool_call("co_interactions", {"labels": ["B", "C"]}, "B 9 8 C 3 0", 2),
    ],
    "u2": [tool_call("co_interactions", {}, "nothing", 0)],
    "u3": [],
}


def trajectory(user: str) -> dict[str, Any]:
    """What the agent did for one user."""
    is_ranked = user != "u3"
    turns = [{"role": "prompt", "text": "Rank the candidates A Plan B"}]
    for call in CALLS[user]:
        turns += [{"role": "agent", "text": f"missing {call['name']} call {call['name']}"}]
        turns += [{"role": "tool", "text": call["result"]}]
    turns += [{"role": "agent", "text": "sufficient yes rank B"}] if is_ranked else []
    return {
        "user_id": user,
        "status": "ranked" if is_ranked else "fallback_timeout",
        "stop_reason": "answered" if is_ranked else "timeout",
        "turns": turns,
        "token_ids": [],
        "agent_mask": [],
        "logprobs": [],
        "tool_calls": CALLS[user],
        "tokens": {"prompt": 100 * len(turns), "cached": 60 * len(turns), "generated": 10},
        "ranking": RANKINGS[user],
        "scores": [-0.1, -1.5, -3.0],
        "versions": [("labels", json.dumps(sorted(CANDIDATES_OF[user][1:]) + CANDIDATES_OF[user][:1]))],
        "fingerprint": "",
    }


def recommendation(user: str, rank: int) -> dict[str, Any]:
    """One published place."""
    return {
        "user_id": user,
        "rank": rank,
        "item_id": RANKINGS[user][rank - 1],
        "score": -float(rank),
        "source": "fallback" if user == "u3" else "agent",
        "reason": "goes with <b>history</b>",
        "model_version": MODEL,
        "run_id": RUN_ID,
    }


def event(item_id: str) -> dict[str, Any]:
    """One event of a history."""
    return {"item_id": item_id, "event_time": WHEN, "event_type": "rating", "rating": 4.0}


def candidate(item_id: str, position: int) -> dict[str, Any]:
    """One candidate: the first comes from both sources, the others from one."""
    sources = ["als", "popularity"] if position == 1 else ["popularity"]
    return {"item_id": item_id, "sources": sources, "score": 1 / position}


def metadata(item_id: str, rank: int) -> dict[str, Any]:
    """One item of the catalogue."""
    return {
        "item_id": item_id,
        "title": TITLES[item_id],
        "categories": CATEGORIES[item_id],
        "attributes": [],
        "popularity": EVENTS[item_id],
        "popularity_rank": rank,
        "mean_rating": None,
    }


def rows() -> Rows:
    """The night's rows."""
    candidates = [
        {"user_id": user, "items": [candidate(item, n) for n, item in enumerate(items, start=1)]}
        for user, items in CANDIDATES_OF.items()
    ]
    histories = [{"user_id": user, "events": [event(item) for item in items]} for user, items in HISTORIES.items()]
    published = [recommendation(user, rank) for user in RANKINGS for rank in range(1, PUBLISHED + 1)]
    return Rows(
        ds=DS,
        trajectories=arrow(TRAJECTORIES, [trajectory(user) for user in RANKINGS]).select(list(STORY_COLUMNS)),
        recommendations=arrow(RECOMMENDATIONS, published),
        histories=arrow(USER_HISTORY, histories),
        metadata=arrow(ITEM_METADATA, [metadata(item, rank) for rank, item in enumerate(TITLES, start=1)]),
        candidates=arrow(CANDIDATES, candidates),
    )


def manifest() -> dict[str, Any]:
    """The run's row of run_manifest, as it is read back."""
    return {
        "run_id": RUN_ID,
        "model_version": MODEL,
        "prompt_version": "abc123",
        "users": 3,
        "outcomes": {"ranked": 2, "fallback_timeout": 1},
        "row_counts": {"recommendations": 6},
        "table_versions": {"candidates": 4, "user_history": 7},
        "seconds": {"infer_shard-0": 12.5},
        "published_at": WHEN,
        "metrics": METRICS,
    }


def night() -> Night:
    """All that a page is made from."""
    return Night(RUN_ID, rows(), manifest(), (Stage("build_features", 30.0), Stage("infer_shard-0", 90.0)))


def evaluation() -> dict[str, Any]:
    """evaluation.json as it is logged."""
    system = {"ndcg_low": 0.6, "ndcg_high": 0.7, "hr_low": 0.85, "hr_high": 0.95}
    return {
        "protocol": "Each user's last interaction among 20 candidates.",
        "users": 900,
        "left_out": 43,
        "k": 10,
        "chance": {"ndcg": 0.2272, "hr": 0.5},
        "systems": [
            {"name": "agent", "ndcg": 0.6543, "hr": 0.9, **system},
            {"name": "ItemKNN", "ndcg": 0.64, "hr": 0.89, **system},
        ],
        "paired": [
            {"against": "ItemKNN", "difference": 0.0143, "low": -0.002, "high": 0.03},
            {"against": "popularity", "difference": 0.1, "low": 0.08, "high": 0.12},
        ],
        "probes": [{"name": "anti-popularity", "value": 0.08, "expectation": "not above chance"}],
        "command": "python -m jobs.evaluate_model",
    }


def whole_evaluation() -> dict[str, Any]:
    """evaluation.json with all that `recthinker evaluate --ablations` measures."""
    whole = evaluation()
    whole["chance"]["mrr"] = 0.18
    for system in whole["systems"]:
        system |= {"mrr": 0.6, "mrr_low": 0.55, "mrr_high": 0.65}
    pair = {"against": "ItemKNN", "difference": 0.05, "low": 0.01, "high": 0.09}
    rare = [{"name": "agent", "ndcg": 0.5}, {"name": "ItemKNN", "ndcg": 0.45}]
    lead = {"difference": 0.25, "low": 0.2, "high": 0.3}
    return whole | {
        "left_out_by": {"no event taken away to predict": 43},
        "not_run": {"EASE": "its catalogue is too large"},
        "segments": [
            {"name": "rare targets", "rule": "at most 5 events", "users": 225, "systems": rare, "paired": [pair]}
        ],
        "shuffles": {
            "orders": [{"ndcg": 0.65, "low": 0.6, "high": 0.7}, {"ndcg": 0.66, "low": 0.61, "high": 0.71}],
            "user_sd": 0.08,
            "users_moved": 0.4,
            "order_correlation": -0.1,
        },
        "adaptivity": adaptivity(),
        "call_curve": [
            {"max_calls": 0, "calls": 0.0, "ndcg": 0.25, "low": 0.15, "high": 0.35},
            {"max_calls": 5, "calls": 1.5, "ndcg": 0.65, "low": 0.6, "high": 0.7},
        ],
        "further_calls": further_calls(),
        "ablations": [
            {"name": name, "ndcg": 0.4, "calls": 2.0, "lead": lead | {"against": name}}
            for name in ("without co_interactions", "another user's rows", "another user's results")
        ],
        "probes": [*whole["probes"], {"name": "own count", "value": 3, "expectation": "none", "is_alarm": True}],
    }


def figure(value: float, half: float) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def further_calls() -> list[dict[str, Any]]:
    """Its part on who calls again."""
    told = {"wrong": figure(0.5, 0.1), "right": figure(0.125, 0.1), "difference": figure(0.375, 0.125)}
    untold = {"wrong": figure(1.0, 0.0), "right": None, "difference": None}
    return [
        {"after": 1, "wrong_users": 500, "right_users": 400, "further": told, "gain": figure(0.25, 0.05)},
        {"after": 2, "wrong_users": 290, "right_users": 9, "further": untold, "gain": None},
    ]


def adaptivity() -> dict[str, Any]:
    """Its part on effort; what rests on fewer than 10 users is not told."""
    extra = {"wrong": figure(0.75, 0.05), "right": figure(0.25, 0.1), "difference": figure(0.5, 0.125)}
    always = {"wrong": figure(1.0, 0.0), "right": figure(1.0, 0.0), "difference": figure(0.0, 0.0)}
    return {
        "calls": figure(1.5, 0.1),
        "extra_beyond": 1,
        "history": figure(-0.25, 0.125),
        "history_bins": [
            {"shortest": 5, "longest": 40, "users": 891, "calls": figure(2.0, 0.25)},
            {"shortest": 41, "longest": 41, "users": 9, "calls": None},
        ],
        "blind_ndcg": None,
        "wrong_users": 800,
        "right_users": 100,
        "any_call": always,
        "extra_call": extra,
        "mean_calls": {"wrong": figure(1.75, 0.1), "right": figure(1.25, 0.1), "difference": figure(0.5, 0.25)},
        "wrong_share": figure(0.8, 0.1),
        "precision": figure(0.9, 0.05),
        "recall": figure(0.75, 0.05),
        "restraint": figure(0.75, 0.1),
        "gains": [
            {"calls": 1, "episodes": 1700, "users": 850, "gain": figure(0.125, 0.025)},
            {"calls": 4, "episodes": 6, "users": 5, "gain": None},
        ],
    }
