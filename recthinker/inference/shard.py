"""The batch work of one shard: every request of the shard through the engine, its rows into files of its own.

Finished users are committed part by part (`recthinker.inference.parts`), so that a run that was killed goes on where it
was. The shard's folder appears whole or not at all: a shard that failed leaves nothing that could be published.
"""

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from recthinker.agent import Agent, Episode, Outcome
from recthinker.agent.record import recommendation_table
from recthinker.errors import EngineError
from recthinker.inference.batch import run_episodes
from recthinker.inference.earlier import EarlierNight
from recthinker.inference.engine import Engine
from recthinker.inference.figures import shard_summary
from recthinker.inference.garbage import seldom_collected
from recthinker.inference.parts import ShardParts
from recthinker.inference.progress import BatchProgress
from recthinker.inference.rows import trajectory_table
from recthinker.lookup import RequestRow, Snapshot
from recthinker.tables.locks import hold
from recthinker.tables.schemas import RECOMMENDATIONS, TRAJECTORIES

SUMMARY = "summary.json"
CALLS_TO_JUDGE_BY = 100
"""Fewer calls are taken as so many where the share of broken ones is judged."""


@dataclass(frozen=True, slots=True)
class ShardRun:
    """What a shard's rows are stamped with, and how they are kept."""

    ds: str
    run_id: str
    model_version: str
    table_versions: dict[str, int]
    publish_top_n: int
    max_failed_share: float
    max_tool_fault_share: float
    users_per_part: int
    """Users whose work is lost at most when the run is killed, besides those in flight."""

    def versions(self, agent: Agent) -> dict[str, str]:
        """Everything that an episode read, by name."""
        tables = {f"table:{name}": str(version) for name, version in sorted(self.table_versions.items())}
        return {"model": self.model_version, "prompt": agent.prompt_version, **tables}

    def stamp(self, agent: Agent) -> dict[str, Any]:
        """What all rows of a shard have in common: parts of another stamp are of no use."""
        return {"ds": self.ds, "run_id": self.run_id, "top_n": self.publish_top_n, "versions": self.versions(agent)}


def run_shard(
    folder: Path,
    run: ShardRun,
    engine: Engine,
    agent: Agent,
    snapshot: Snapshot,
    shard: int,
    *,
    max_in_flight: int,
    earlier: EarlierNight | None = None,
    on_progress: Callable[[BatchProgress], None] = lambda progress: None,
) -> dict[str, Any]:
    """Run a shard and write `folder`: trajectories.parquet, recommendations.parquet, summary.json (returned).

    Users whose episode of `earlier` would go the same way keep its ranking. Users of parts that a killed run of the
    same shard committed are not asked again.

    Raises:
        EngineError: the engine died; what is committed stays for the next run. Or more users got a fallback, or more
            calls met a broken tool, than `run` allows; then nothing stays.
        ConfigError: another process is running the same shard.
        OSError: the disk is full; what is committed stays.
    """
    lock = hold(folder.with_name(f".{folder.name}.lock"), f"shard {shard} of {run.ds}", timeout_s=0)
    with lock, seldom_collected():
        parts = ShardParts(folder.with_name(f".{folder.name}.parts"), run.stamp(agent))
        rows, finished = snapshot.requests(shard), parts.users()
        progress = BatchProgress.resumed(len(rows), parts.outcomes)
        waiting = (row for row in rows if row.user_id not in finished)
        known = partial(earlier.unchanged, agent, snapshot.items) if earlier else _nobody
        episodes = run_episodes(engine, agent, snapshot.items, waiting, max_in_flight=max_in_flight, known=known)
        started = time.monotonic()
        for batch in _batched(_counted(episodes, progress, on_progress), run.users_per_part):
            now = time.monotonic()
            _commit(parts, run, agent, batch, earlier, now - started)
            started = now
            _check_failures(parts, len(rows), run)
        return _close(folder, parts, len(rows), resumed=len(finished))


def _counted(
    episodes: Iterable[Episode], progress: BatchProgress, on_progress: Callable[[BatchProgress], None]
) -> Iterator[Episode]:
    for episode in episodes:
        progress.count(episode)
        on_progress(progress)
        yield episode


def _nobody(request: RequestRow) -> None:
    """No episode is known."""


def _commit(
    parts: ShardParts,
    run: ShardRun,
    agent: Agent,
    episodes: Sequence[Episode],
    earlier: EarlierNight | None,
    seconds: float,
) -> None:
    stamps = {"model_version": run.model_version, "run_id": run.run_id}
    outcomes: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for episode in episodes:
        outcomes[str(episode.outcome)] += 1
        tokens = episode.tokens
        totals.update(prompt=tokens.prompt, cached=tokens.cached, generated=tokens.generated)
        totals.update(calls=len(episode.calls), faults=sum(bool(called.result.fault) for called in episode.calls))
    tables = {
        TRAJECTORIES.name: trajectory_table(episodes, earlier, ds=run.ds, versions=run.versions(agent)),
        RECOMMENDATIONS.name: recommendation_table(episodes, ds=run.ds, top_n=run.publish_top_n, **stamps),
    }
    parts.commit(tables, outcomes, totals, seconds)


def _batched(episodes: Iterator[Episode], size: int) -> Iterator[list[Episode]]:
    while batch := list(islice(episodes, size)):
        yield batch


def _check_failures(parts: ShardParts, users: int, run: ShardRun) -> None:
    """Stop as soon as too many users got a fallback, or too many calls met a broken tool, however many are to come."""
    outcomes, totals = parts.outcomes, parts.totals
    failed = sum(n for outcome, n in outcomes.items() if Outcome(outcome).is_fallback)
    fault = None
    if failed > run.max_failed_share * users:
        fault = (
            f"{failed} of {users} users got a fallback after {outcomes.total()} were done, more than "
            f"inference.max_failed_share = {run.max_failed_share:.1%} allows ({dict(outcomes)})"
        )
    elif totals["faults"] > run.max_tool_fault_share * max(totals["calls"], CALLS_TO_JUDGE_BY):
        fault = (
            f"a tool broke in {totals['faults']} of {totals['calls']} calls, more than "
            f"inference.max_tool_fault_share = {run.max_tool_fault_share:.1%} allows; the log's 'tool broke' says how"
        )
    if fault:
        parts.remove()
        raise EngineError(f"{fault}; nothing of this shard is kept")


def _close(folder: Path, parts: ShardParts, users: int, *, resumed: int) -> dict[str, Any]:
    """The shard's folder from its parts; its summary."""
    unfinished = folder.with_name(f".{folder.name}.merged")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    parts.merge(unfinished)
    summary = shard_summary(
        users=users, resumed=resumed, outcomes=parts.outcomes, totals=parts.totals, seconds=parts.seconds
    )
    (unfinished / SUMMARY).write_text(json.dumps(summary, indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    parts.remove()
    return summary
