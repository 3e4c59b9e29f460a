"""The held-out users ranked by the serving model with one kind of answer: how fast, and each user's NDCG.

`python -m tests.benchmarks.answer_gains labels|generate DS FOLDER`, writes FOLDER/<kind>.json. A process of its own for
each kind: what one leaves in the prefix cache would be the other's gain.
"""

import json
import sys
import time
from pathlib import Path

from recthinker.agent import Agent
from recthinker.evaluation import Protocol
from recthinker.evaluation.metrics import ndcg
from recthinker.inference.agent_run import run_agent
from recthinker.inference.engines import open_engine
from recthinker.inference.trial import open_trial
from recthinker.registry import Registry
from recthinker.settings import load_settings


def main(ranking: str, ds: str, folder: Path) -> None:
    """Rank them, without the engine's start in the time."""
    settings = load_settings(overrides={"agent": {"ranking": ranking}})
    version = Registry(settings).resolve()
    trial = open_trial(settings, Protocol.parse("leave_last_one"), ds=ds, folder=folder / f"{ranking}-snapshots")
    agent = Agent.load(version.path, settings.agent, settings.tools)
    engine, started = open_engine(version.path, agent, settings), time.process_time()
    run = run_agent(
        engine,
        agent,
        trial.snapshot.items,
        trial.rows,
        trial.target,
        max_in_flight=settings.inference.max_in_flight,
        on_episode=lambda episode: None,
    )
    gains = ndcg(run.ranks, settings.evaluation.k).tolist()
    told = {
        "seconds": run.seconds,
        "cpu_seconds": time.process_time() - started,
        "gains": gains,
        "outcomes": run.outcomes,
    }
    (folder / f"{ranking}.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
