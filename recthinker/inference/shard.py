"""The batch work of one shard: every request of the shard through the engine, its rows into files of its own.

A shard's folder appears whole or not at all, so a shard that failed or was killed leaves nothing that could be
published.
"""

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recthinker.agent import Agent, Episode, Outcome
from recthinker.agent.record import recommendation_rows, trajectory_row
from recthinker.errors import EngineError
from recthinker.inference.batch import BatchProgress, run_episodes
from recthinker.inference.engine import Engine
from recthinker.lookup import Snapshot
from recthinker.tables.schemas import RECOMMENDATIONS, TRAJECTORIES

SUMMARY = "summary.json"
ROWS_AT_ONCE = 512
"""Episodes whose rows are kept in memory before they are written."""


@dataclass(frozen=True, slots=True)
class ShardRun:
    """What a shard's rows are stamped with."""

    ds: str
    run_id: str
    model_version: str
    table_versions: dict[str, int]
    publish_top_n: int
    max_failed_share: float

    def versions(self, agent: Agent) -> dict[str, str]:
        """Everything that an episode read, by name."""
        tables = {f"table:{name}": str(version) for name, version in sorted(self.table_versions.items())}
        return {"model": self.model_version, "prompt": agent.prompt_version, **tables}


def run_shard(
    folder: Path,
    run: ShardRun,
    engine: Engine,
    agent: Agent,
    snapshot: Snapshot,
    shard: int,
    *,
    max_in_flight: int,
    on_progress: Callable[[BatchProgress], None] = lambda progress: None,
) -> dict[str, Any]:
    """Run a shard and write `folder`: trajectories.parquet, recommendations.parquet, summary.json (returned).

    Raises:
        EngineError: the engine died, or more than `max_failed_share` of the users would get a fallback.
    """
    rows = snapshot.requests(shard)
    progress = BatchProgress(total=len(rows))
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)

    def count(outcome: Outcome) -> None:
        progress.count(outcome)
        on_progress(progress)

    episodes = run_episodes(engine, agent, snapshot.items, rows, max_in_flight=max_in_flight, on_done=count)
    totals: Counter[str] = Counter()
    started = time.monotonic()
    _write_rows(unfinished, run, agent, _counted(episodes, totals))
    summary = _summary(progress, totals, time.monotonic() - started)
    _check_failures(summary, run.max_failed_share)
    (unfinished / SUMMARY).write_text(json.dumps(summary, indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    return summary


def _counted(episodes: Iterable[Episode], totals: Counter[str]) -> Iterator[Episode]:
    for episode in episodes:
        totals["prompt"] += episode.tokens.prompt
        totals["cached"] += episode.tokens.cached
        totals["generated"] += episode.tokens.generated
        totals["calls"] += len(episode.calls)
        yield episode


def _write_rows(folder: Path, run: ShardRun, agent: Agent, episodes: Iterator[Episode]) -> None:
    versions = run.versions(agent)
    trajectories, recommendations = TRAJECTORIES.arrow_schema(), RECOMMENDATIONS.arrow_schema()
    with (
        pq.ParquetWriter(folder / "trajectories.parquet", trajectories) as episode_file,
        pq.ParquetWriter(folder / "recommendations.parquet", recommendations) as ranking_file,
    ):
        for batch in _batched(episodes, ROWS_AT_ONCE):
            told = [trajectory_row(episode, ds=run.ds, versions=versions) for episode in batch]
            ranked = [
                row
                for episode in batch
                for row in recommendation_rows(
                    episode,
                    ds=run.ds,
                    model_version=run.model_version,
                    run_id=run.run_id,
                    top_n=run.publish_top_n,
                )
            ]
            episode_file.write_table(pa.Table.from_pylist(told, trajectories))
            ranking_file.write_table(pa.Table.from_pylist(ranked, recommendations))


def _batched(episodes: Iterator[Episode], size: int) -> Iterator[list[Episode]]:
    while batch := list(islice(episodes, size)):
        yield batch


def _summary(progress: BatchProgress, totals: Counter[str], seconds: float) -> dict[str, Any]:
    return {
        "users": progress.total,
        "outcomes": {str(outcome): number for outcome, number in sorted(progress.outcomes.items())},
        "seconds": round(seconds, 3),
        "users_per_s": round(progress.total / max(seconds, 1e-9), 1),
        "tool_calls": totals["calls"],
        "tokens": {name: totals[name] for name in ("prompt", "cached", "generated")},
    }


def _check_failures(summary: dict[str, Any], max_failed_share: float) -> None:
    failed = sum(n for outcome, n in summary["outcomes"].items() if Outcome(outcome).is_fallback)
    if failed > max_failed_share * summary["users"]:
        raise EngineError(
            f"{failed} of {summary['users']} users would get a fallback, more than inference.max_failed_share = "
            f"{max_failed_share:.1%} allows ({summary['outcomes']}); nothing of this shard is kept"
        )
