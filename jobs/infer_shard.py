"""Run the agent for every user of one shard.

Reads <run_dir>/inference_plan.json and the snapshot and model that it pins; writes <run_dir>/shards/<k>/ whole or not
at all. Safe to run again: users whom a killed run finished are not asked again.
"""

import argparse
import time
from pathlib import Path

from jobs._cli import Job, main
from recthinker.agent import Agent
from recthinker.inference import BatchProgress
from recthinker.inference.earlier import EarlierNight
from recthinker.inference.engines import open_engine
from recthinker.inference.plan import InferencePlan
from recthinker.inference.shard import ShardRun, run_shard
from recthinker.lookup import RequestRows, Snapshot

PROGRESS_EVERY_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which shard."""
    parser.add_argument("--shard", type=int, required=True, help="number of the shard")


def run(job: Job) -> str:
    """Run the agent for every user of one shard."""
    settings, shard = job.settings, job.args.shard
    plan = InferencePlan.read(job.run_dir)
    model_dir = Path(plan.model_path)
    agent = Agent.load(model_dir, settings.agent, settings.tools)
    engine = open_engine(model_dir, agent, settings)
    stamp = ShardRun(
        ds=plan.ds,
        run_id=plan.run_id,
        model_version=plan.model_version,
        table_versions=plan.table_versions,
        publish_top_n=settings.agent.publish_top_n,
        max_failed_share=settings.inference.max_failed_share,
        max_tool_fault_share=settings.inference.max_tool_fault_share,
        users_per_part=settings.inference.users_per_part,
    )
    snapshot = Snapshot(Path(plan.snapshot))
    summary = run_shard(
        job.run_dir / "shards" / str(shard),
        stamp,
        engine,
        agent,
        snapshot,
        shard,
        max_in_flight=settings.inference.max_in_flight,
        earlier=_earlier(job, plan, snapshot.requests(shard)),
        on_progress=_Reporter(shard),
    )
    again = f" ({summary['resumed']} by an earlier run)" if summary["resumed"] else ""
    share, outcomes = summary["cache_hit_share"], summary["outcomes"]
    cached = "" if share is None else f", {share:.1%} of the prompts cached"
    rate = f"{summary['users_per_s']} users/s"
    return f"shard {shard}: {summary['users']} users{again}, {rate}{cached}, outcomes {outcomes}"


def _earlier(job: Job, plan: InferencePlan, requests: RequestRows) -> EarlierNight | None:
    if plan.earlier_ds is None or plan.earlier_version is None:
        return None
    return EarlierNight(
        job.settings.paths.warehouse,
        ds=plan.earlier_ds,
        version=plan.earlier_version,
        users=requests.user_ids(),
        model_version=plan.model_version,
        prompt_version=plan.prompt_version,
    )


class _Reporter:
    """A progress line every two seconds."""

    def __init__(self, shard: int) -> None:
        self._name = f"shard {shard}"
        self._next = time.monotonic() + PROGRESS_EVERY_S

    def __call__(self, progress: BatchProgress) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + PROGRESS_EVERY_S
            print(progress.line(self._name), flush=True)


if __name__ == "__main__":
    main("infer_shard", run, add_arguments)
