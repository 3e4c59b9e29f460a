"""A night as the tables hold it, by hand: its manifest and the episodes of three users."""

from datetime import UTC, datetime
from typing import Any

DS, RUN_ID = "2024-03-10", "manual__2024-03-10"
WHEN = datetime(2024, 3, 11, 2, 30, tzinfo=UTC)


def manifest(**changes: Any) -> dict[str, Any]:
    """The row of run_manifest, its maps as dicts."""
    return {
        "ds": DS,
        "run_id": RUN_ID,
        "model_version": "recthinker/3",
        "prompt_version": "p1",
        "users": 3,
        "outcomes": {"ranked": 2, "fallback_invalid": 1},
        "row_counts": {"recommendations": 6},
        "table_versions": {"user_history": 7},
        "seconds": {"infer_shard-0": 12.5},
        "published_at": WHEN,
        "metrics": {"users_per_s": 1.5, "tokens.cached": 60.0},
    } | changes


def episode(user: str = "ann", **changes: Any) -> dict[str, Any]:
    """A row of trajectories, its maps as dicts: the agent looks up one thing, then ranks.

    Tokens: a prompt of 3, a call of 2, a result of 2, an answer of 3 and the end.
    """
    return {
        "ds": DS,
        "user_id": user,
        "status": "ranked",
        "stop_reason": "answered",
        "turns": [
            {"role": "prompt", "text": "Rank A Heat B Fargo"},
            {"role": "agent", "text": "call item_relations B"},
            {"role": "tool", "text": "B 9 actor"},
            {"role": "agent", "text": "sufficient yes rank B"},
        ],
        "token_ids": list(range(11)),
        "agent_mask": [0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0],
        "logprobs": [0.0] * 11,
        "tool_calls": [
            {"name": "item_relations", "arguments": '{"labels": ["B"]}', "result": "B 9 actor", "rows": 1, "ok": True}
        ],
        "tokens": {"prompt": 19, "cached": 12, "generated": 5},
        "ranking": ["i2", "i1"],
        "scores": [-0.1, -2.0],
        "versions": {"model": "recthinker/3", "labels": '["i1", "i2"]'},
        "fingerprint": "f",
    } | changes


def failed(user: str = "bob") -> dict[str, Any]:
    """An episode that could not even begin."""
    nothing: dict[str, Any] = {name: [] for name in ("turns", "token_ids", "agent_mask", "logprobs", "tool_calls")}
    tokens = {"prompt": 0, "cached": 0, "generated": 0}
    return episode(user, status="fallback_error", stop_reason="error: boom", tokens=tokens, **nothing)
