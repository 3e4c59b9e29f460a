"""What the night cost: users by outcome, tools used, calls and tokens per user, rates. No reading, no drawing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recthinker.agent import Outcome
from recthinker.errors import TableContractError
from recthinker.report.data import Night

OUTCOMES = {
    Outcome.RANKED: "the agent's own ranking",
    Outcome.REPAIRED: "the agent did not end a turn as it should, and was made to answer",
    Outcome.UNCHANGED: "nothing that the agent would read has changed: the last ranking stands",
    Outcome.FALLBACK_INVALID: "no usable answer: candidate order",
    Outcome.FALLBACK_TIMEOUT: "out of time: candidate order",
    Outcome.FALLBACK_ERROR: "an error: candidate order",
}
"""Every outcome with what it means for the user, best first; they sum to the users asked for."""


@dataclass(frozen=True, slots=True)
class Count:
    """A part of a whole."""

    name: str
    count: int
    share: float
    """Of the whole, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """How much one tool was used."""

    name: str
    calls: int
    call_share: float
    """Of all calls, in [0, 1]."""
    episode_share: float
    """Episodes with at least one call of it, of all episodes, in [0, 1]."""
    failed: int
    """Calls with arguments that the tool could not take."""
    mean_rows: float
    """Rows found per call."""


@dataclass(frozen=True, slots=True)
class TokenSpread:
    """Tokens of one kind over the episodes."""

    name: str
    mean: float
    median: float
    p95: float
    total: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the shards worked, and what went wrong on the way."""

    users_per_s: float
    """Of one shard, as all rates are."""
    computed_per_s: float
    """Prompt tokens that did not come from the prefix cache."""
    generated_per_s: float
    """Tokens written."""
    resumed: int
    """Users whom an earlier attempt of the run finished."""
    faults: int
    """Tool calls in which the tool itself broke."""


def read_pace(manifest: Mapping[str, Any]) -> Pace | None:
    """The pace of a night; None for one that was published before it was kept."""
    metrics: Mapping[str, float] | None = manifest["metrics"]
    if not metrics:
        return None
    computed, generated = metrics["tokens_per_s.computed"], metrics["tokens_per_s.generated"]
    return Pace(metrics["users_per_s"], computed, generated, int(metrics["resumed"]), int(metrics["tool_faults"]))


def count_outcomes(night: Night) -> list[Count]:
    """Users by outcome, every outcome named, zeros too.

    Raises:
        TableContractError: trajectories, or the manifest, do not account for each user once.
    """
    counts = Counter(night.rows.trajectories["status"].to_pylist())
    users = int(night.manifest["users"])
    claimed = {name: n for name, n in night.manifest["outcomes"].items() if n}
    if counts.total() != users or dict(counts) != claimed or not counts.keys() <= set(OUTCOMES):
        raise TableContractError(
            f"outcomes for ds={night.rows.ds} should be known, agree and sum to {users} users; trajectories "
            f"hold {dict(counts)}, run_manifest {claimed}; publish run {night.run_id} again"
        )
    return [Count(str(outcome), counts[outcome], counts[outcome] / users) for outcome in OUTCOMES]


def episodes_run(trajectories: pa.Table) -> pa.Table:
    """The episodes that ran tonight: all but the unchanged users', whose row tells of an earlier night."""
    return trajectories.filter(pc.not_equal(trajectories["status"], str(Outcome.UNCHANGED)))


def tool_uses(episodes: pa.Table, enabled: Sequence[str]) -> list[ToolUse]:
    """Use of each enabled tool and of whatever else was called, most calls first, then by name."""
    lists = episodes["tool_calls"].combine_chunks()
    calls, owner = pc.list_flatten(lists), pc.list_parent_indices(lists)
    table = pa.table(
        {"episode": owner, "name": calls.field("name"), "ok": calls.field("ok"), "rows": calls.field("rows")}
    )
    wanted: list[tuple[str, str]] = [
        ("name", "count"),
        ("episode", "count_distinct"),
        ("ok", "sum"),
        ("rows", "mean"),
    ]
    uses = [
        ToolUse(
            name=row["name"],
            calls=row["name_count"],
            call_share=row["name_count"] / len(calls),
            episode_share=row["episode_count_distinct"] / episodes.num_rows,
            failed=row["name_count"] - row["ok_sum"],
            mean_rows=row["rows_mean"],
        )
        for row in table.group_by("name").aggregate(wanted).to_pylist()
    ]
    called = {use.name for use in uses}
    uses += [ToolUse(name, 0, 0.0, 0.0, 0, 0.0) for name in enabled if name not in called]
    return sorted(uses, key=lambda use: (-use.calls, use.name))


def calls_per_user(episodes: pa.Table) -> list[Count]:
    """Episodes by number of calls, from 0 to the largest seen; empty where no episode ran."""
    if not episodes.num_rows:
        return []
    lengths = pc.list_value_length(episodes["tool_calls"]).to_numpy()
    counts = np.bincount(lengths)
    return [Count(str(calls), int(n), n / episodes.num_rows) for calls, n in enumerate(counts)]


def token_spreads(episodes: pa.Table) -> list[TokenSpread]:
    """Tokens per episode: prompt tokens computed, those from cache, tokens generated; in this order."""
    if not episodes.num_rows:
        return []
    tokens = episodes["tokens"].combine_chunks()
    prompt, cached, generated = (
        np.asarray(tokens.field(name).to_numpy(zero_copy_only=False)) for name in ("prompt", "cached", "generated")
    )
    kinds = {"prompt, computed": prompt - cached, "prompt, from cache": cached, "generated": generated}
    return [
        TokenSpread(name, float(n.mean()), float(np.median(n)), float(np.percentile(n, 95)), int(n.sum()))
        for name, n in kinds.items()
    ]
