"""A shard's figures and the night's: sums over shards, and the rates and shares that follow from sums."""

from collections.abc import Iterable, Mapping
from typing import Any

SUMMED = ("resumed", "seconds", "tool_calls", "tool_faults")
"""Figures of a shard's summary that are added up as they are."""
NEEDED = ("users", "outcomes", "tokens", *SUMMED)
"""What a summary must tell for a night's figures."""


def shard_summary(
    *, users: int, resumed: int, outcomes: Mapping[str, int], totals: Mapping[str, int], seconds: float
) -> dict[str, Any]:
    """What a shard says of itself when it is done, earlier attempts included.

    Args:
        users: of the shard.
        resumed: of them, those whom an earlier attempt finished; their work is part of all other figures.
        outcomes: users by outcome.
        totals: sums of `recthinker.inference.parts.COUNTED`.
        seconds: that the work on all of them took.
    """
    tokens = {name: totals.get(name, 0) for name in ("prompt", "cached", "generated")}
    return {
        "users": users,
        "resumed": resumed,
        "outcomes": dict(sorted(outcomes.items())),
        "seconds": round(seconds, 3),
        "tool_calls": totals.get("calls", 0),
        "tool_faults": totals.get("faults", 0),
        "tokens": tokens,
        **_rates(users, tokens, seconds),
    }


def night_metrics(summaries: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The figures of a night, from its shards' summaries: what the manifest and MLflow keep.

    `seconds` is the work of all shards, one after the other, and the rates are per second of it: they do not depend on
    how many shards ran at once. Shares over nothing are left out.
    """
    shards = list(summaries)
    tokens = {name: sum(shard["tokens"][name] for shard in shards) for name in ("prompt", "cached", "generated")}
    sums = {name: sum(shard[name] for shard in shards) for name in SUMMED}
    rates = _rates(sum(shard["users"] for shard in shards), tokens, sums["seconds"])
    computed = {"computed": tokens["prompt"] - tokens["cached"]}
    return {
        **{name: float(value) for name, value in sums.items()},
        **{f"tokens.{name}": float(count) for name, count in (tokens | computed).items()},
        **{f"tokens_per_s.{name}": rate for name, rate in rates.pop("tokens_per_s").items()},
        **{name: rate for name, rate in rates.items() if rate is not None},
    }


def _rates(users: int, tokens: Mapping[str, int], seconds: float) -> dict[str, Any]:
    prompt, cached = tokens["prompt"], tokens["cached"]
    per_s = {"computed": prompt - cached, "generated": tokens["generated"]}
    return {
        "users_per_s": _rate(users, seconds),
        "tokens_per_s": {name: _rate(count, seconds) for name, count in per_s.items()},
        "cache_hit_share": round(cached / prompt, 4) if prompt else None,
    }


def _rate(count: int, seconds: float) -> float:
    return round(count / max(seconds, 1e-9), 1)
