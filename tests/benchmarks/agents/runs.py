"""`python -m tests.benchmarks.agents.runs FOLDER full|small`: every measurement of the batch engine, in one process.

Writes FOLDER/runs.json. One engine serves all of them: the tiny model of conf/base.yaml with random weights, which are
as fast as trained ones. Where two ways are compared they take turns, so that a busy moment does not fall on one alone.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from deltalake import write_deltalake

from recthinker.agent import Agent, CompactFormat, train_tokenizer
from recthinker.inference import run_episodes
from recthinker.inference.earlier import EarlierNight
from recthinker.inference.shard import ShardRun, run_shard
from recthinker.inference.vllm_engine import VllmEngine
from recthinker.lookup import RequestRow, Snapshot
from recthinker.settings import Settings, load_settings
from recthinker.tools import BUILT_IN
from recthinker.training.tiny import new_model, save_model
from tests.benchmarks.agents.puppet import Plan, Puppet, Step
from tests.benchmarks.agents.ways import Pace, plain, waves, window
from tests.benchmarks.agents.world import DS, AgentWorld

SIZES = {"full": AgentWorld(users=4_000), "small": AgentWorld(users=48, items=200)}
WIDTHS = (1, 8, 64, 256)
EPISODES_A_WIDTH = {1: 150, 8: 600, 64: 2_000, 256: 4_000}
"""Enough for some seconds each."""
PAIRS = 3
"""Turns that two ways take."""
CHANGED = 0.05
"""Share of users for whom something changed on the second night."""
TWO_CALLS = ("co_interactions", "similar_users")
FOUR_CALLS = ("co_interactions", "similar_users", "item_info", "item_relations")
FEW = 16
"""Episodes among which one is long, where few are."""
SECOND_NIGHTS = ("2026-02-01", "2026-02-02", "2026-02-03")
"""Dates of the second night, which is short, and so run three times."""


def alike(key: str) -> Sequence[str]:
    """Every episode calls two tools."""
    return TWO_CALLS


def mixed(key: str) -> Sequence[str]:
    """Every other episode calls no tool, the others four."""
    return FOUR_CALLS if int(key[1:]) % 2 else ()


def few_long(key: str) -> Sequence[str]:
    """One episode of `FEW` calls four tools, the others none."""
    return FOUR_CALLS if int(key[1:]) % FEW == 0 else ()


@dataclass(frozen=True, slots=True)
class Stage:
    """What all measurements share."""

    folder: Path
    world: AgentWorld
    settings: Settings
    agent: Agent
    puppet: Puppet
    snapshot: Snapshot
    rows: list[RequestRow]

    def window(self, plan: Plan, width: int, episodes: int | None = None) -> Pace:
        """The driver over the first so many users."""
        return window(self.puppet, self.agent, self.snapshot, self.rows[:episodes], plan, width)

    def waves(self, plan: Plan, width: int) -> Pace:
        """Waves over all users."""
        return waves(self.puppet, self.agent, self.snapshot, self.rows, plan, width)


def main(folder: Path, size: str) -> None:
    """Measure everything."""
    stage = _stage(folder, SIZES[size])
    stage.window(alike, 64, 256)  # whatever is only done once
    widest = stage.settings.inference.max_in_flight
    measured = {
        "widths": {width: _told(stage.window(alike, width, EPISODES_A_WIDTH[width])) for width in WIDTHS},
        "steps": fit(stage.puppet.steps),
        "tokens": tokens_per_user(stage),
        "plain": [_told_pair(*_against_plain(stage, widest)) for _ in range(PAIRS)],
        "waves_alike": [_told_pair(*_against_waves(stage, alike, widest, turn)) for turn in range(PAIRS)],
        "waves_mixed": [_told_pair(*_against_waves(stage, mixed, widest, turn)) for turn in range(PAIRS)],
        "waves_few_long": [_told_pair(*_against_waves(stage, few_long, widest, turn)) for turn in range(PAIRS)],
        "nights": two_nights(stage),
    }
    (folder / "runs.json").write_text(json.dumps(measured, indent=1), encoding="utf-8")


def fit(steps: Sequence[Step]) -> dict[str, float]:
    """Least squares of t = t0 + sequences * t1 + prefilled tokens * t2 over engine steps, seconds; and its R2."""
    columns = np.array([[1.0, step.sequences, step.prefilled] for step in steps])
    seconds = np.array([step.seconds for step in steps])
    found, *_ = np.linalg.lstsq(columns, seconds, rcond=None)
    left = seconds - columns @ found
    explained = 1 - left @ left / ((seconds - seconds.mean()) @ (seconds - seconds.mean()))
    return {"steps": len(steps), "t0": found[0], "t1": found[1], "t2": found[2], "r2": float(explained)}


def tokens_per_user(stage: Stage) -> dict[str, float]:
    """Mean tokens of an episode of two calls by what they are, and how many of all requests' were computed."""
    stage.puppet.restart(alike)
    rows = stage.rows[:500]
    episodes = list(run_episodes(stage.puppet, stage.agent, stage.snapshot.items, rows, max_in_flight=64))
    shared = len(stage.agent.system_ids)
    written = sum(sum(episode.mask) for episode in episodes)
    prompts = sum(episode.turns[1].start for episode in episodes)
    total = sum(len(episode.ids) for episode in episodes)
    asked, cached = (sum(getattr(e.tokens, name) for e in episodes) for name in ("prompt", "cached"))
    count = len(episodes)
    return {
        "shared prefix": shared,
        "own prompt": prompts / count - shared,
        "tool results": (total - prompts - written) / count,
        "written": written / count,
        "prompt of all requests": asked / count,
        "of these cached": cached / count,
    }


def two_nights(stage: Stage) -> dict[str, Any]:
    """The shard job's path for all users, and for a second night on which few of them changed, the median of several;
    seconds each.
    """
    stage.puppet.restart(alike)
    first = _night(stage, stage.snapshot, DS, None)
    rows = pq.read_table(stage.folder / DS / "trajectories.parquet")
    write_deltalake(str(stage.folder / "warehouse" / "trajectories"), rows, partition_by=["ds"])
    changed = stage.world.write(stage.folder / "second", changed=CHANGED)
    nights = []
    for ds in SECOND_NIGHTS:
        stage.puppet.restart(alike)
        nights.append(_night(stage, changed, ds, DS))
    return {"first": first, "second": sorted(nights, key=lambda night: night["seconds"])[len(nights) // 2]}


def _night(stage: Stage, snapshot: Snapshot, ds: str, earlier_ds: str | None) -> dict[str, Any]:
    limits = {"max_failed_share": 0.0, "max_tool_fault_share": 0.0}
    inference = stage.settings.inference
    run = ShardRun(ds, "bench", "m/1", {}, publish_top_n=10, users_per_part=inference.users_per_part, **limits)
    started = monotonic()
    earlier = None
    if earlier_ds:
        made_with = {"model_version": "m/1", "prompt_version": stage.agent.prompt_version}
        users = snapshot.requests(0).user_ids()
        earlier = EarlierNight(stage.folder / "warehouse", ds=earlier_ds, version=0, users=users, **made_with)
    width = inference.max_in_flight
    summary = run_shard(
        stage.folder / ds, run, stage.puppet, stage.agent, snapshot, 0, max_in_flight=width, earlier=earlier
    )
    return {"seconds": monotonic() - started, "users": summary["users"], "outcomes": summary["outcomes"]}


def _stage(folder: Path, world: AgentWorld) -> Stage:
    settings = load_settings("bench", environ={}, overrides={"inference": {"engine": "vllm"}})
    chat = CompactFormat(train_tokenizer(world.titles(), settings.model.vocabulary, BUILT_IN))
    length = settings.agent.max_episode_tokens
    save_model(new_model(chat, settings.model, max_length=length, seed=1), chat, folder / "model")
    engine = VllmEngine(folder / "model", settings.inference, max_model_len=length, temperature=0)
    agent = Agent.build(chat, settings.agent, settings.tools)
    snapshot = world.write(folder / "snapshot")
    return Stage(folder, world, settings, agent, Puppet(engine, chat), snapshot, list(snapshot.requests(0)))


def _against_plain(stage: Stage, width: int) -> tuple[Pace, Pace]:
    driver = stage.window(alike, width)
    return driver, plain(stage.puppet.inner, list(stage.puppet.asked), driver.episodes)


def _against_waves(stage: Stage, plan: Plan, width: int, turn: int) -> tuple[Pace, Pace]:
    if turn % 2:
        lock_step = stage.waves(plan, width)
        return stage.window(plan, width), lock_step
    return stage.window(plan, width), stage.waves(plan, width)


def _told(pace: Pace) -> dict[str, float]:
    return {**asdict(pace), "per_s": pace.per_s, "tokens_per_s": pace.tokens_per_s}


def _told_pair(ours: Pace, other: Pace) -> dict[str, Any]:
    return {"driver": _told(ours), "other": _told(other)}


def middle(pairs: Sequence[dict[str, Any]], what: str) -> float:
    """Median over pairs of the driver's `what` over that of the other way."""
    return median(pair["driver"][what] / pair["other"][what] for pair in pairs)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
