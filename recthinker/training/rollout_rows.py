"""Rollouts as rows of the table `rollouts`, and back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recthinker.files import replacing
from recthinker.tables.schemas import ROLLOUTS
from recthinker.training.rewards import Advantages
from recthinker.training.rollout import Rollout

ROWS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class DrawnBy:
    """What all rows of a collection have in common."""

    ds: str
    run_id: str
    model_version: str
    """`name/version`, `planner` or `base`."""
    prompt_version: str


def write_rollouts(
    path: Path, groups: Sequence[Sequence[Rollout]], advantages: Sequence[Advantages], drawn_by: DrawnBy
) -> None:
    """Write the rows as Parquet, whole or not at all.

    Args:
        advantages: of each group.
    """
    rows = (
        _row(rollout, earned, place, drawn_by)
        for group, earned in zip(groups, advantages, strict=True)
        for place, rollout in enumerate(group)
    )
    with replacing(path) as partial, pq.ParquetWriter(partial, ROLLOUTS.arrow_schema()) as file:
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            file.write_table(pa.Table.from_pylist(batch, ROLLOUTS.arrow_schema()))


def read_rollouts(rows: pa.Table) -> list[list[Rollout]]:
    """Rows of one run as groups, by request key, each by sample."""
    ordered = rows.sort_by([("key", "ascending"), ("sample", "ascending")])
    rollouts = (_rollout(row) for batch in ordered.to_batches(max_chunksize=ROWS_AT_ONCE) for row in batch.to_pylist())
    return [list(group) for _, group in groupby(rollouts, key=lambda rollout: rollout.key)]


def _row(rollout: Rollout, earned: Advantages, place: int, drawn_by: DrawnBy) -> dict[str, Any]:
    rewards = {name: float(part[place]) for name, part in earned.parts.items()}
    return {
        "ds": drawn_by.ds,
        "run_id": drawn_by.run_id,
        "key": rollout.key,
        "sample": rollout.sample,
        "user_id": rollout.user_id,
        "model_version": drawn_by.model_version,
        "prompt_version": drawn_by.prompt_version,
        "status": rollout.status,
        "stop_reason": rollout.stop_reason,
        "plan": rollout.plan,
        "broken_calls": rollout.broken_calls,
        "token_ids": rollout.ids,
        "agent_mask": rollout.mask,
        "logprobs": rollout.logprobs,
        "prompt_length": rollout.prompt_length,
        "answer_at": rollout.answer_at,
        "labels": rollout.labels,
        "target": rollout.target,
        "scores": rollout.scores,
        "rank": int(rollout.rank) if rollout.scores else None,
        "rewards": [(name, value) for name, value in rewards.items() if not math.isnan(value)],
        "advantage": float(earned.values[place]),
    }


def _rollout(row: dict[str, Any]) -> Rollout:
    return Rollout(
        key=row["key"],
        sample=row["sample"],
        user_id=row["user_id"],
        status=row["status"],
        stop_reason=row["stop_reason"],
        plan=tuple(row["plan"]),
        broken_calls=row["broken_calls"],
        ids=row["token_ids"],
        mask=row["agent_mask"],
        logprobs=row["logprobs"],
        prompt_length=row["prompt_length"],
        answer_at=row["answer_at"],
        labels=tuple(row["labels"]),
        target=row["target"],
        scores=tuple(row["scores"]),
    )
