"""`python -m tests.jobs.hanging_shard --folder F`: a job for the little world's users; the engine hangs at the third.

The engine's step waits for ever, as a blocked call does, and the job has a child process, as an engine of its own is.
"""

import argparse
import multiprocessing
import time
from pathlib import Path
from threading import Event

from jobs._cli import Job, main
from recthinker.agent import Generated
from recthinker.inference import ScriptedEngine
from recthinker.inference.scripted import Planner
from recthinker.inference.shard import ShardRun, run_shard
from recthinker.inference.watchdog import Watchdog
from tests import little_world as world

ONE_BY_ONE = ShardRun(
    world.DS, "run", "m/1", {}, publish_top_n=2, max_failed_share=0.0, max_tool_fault_share=0.1, users_per_part=1
)
TIMEOUT_S = 2.0


class Hanging(ScriptedEngine):
    """Hangs when two users have their ranking."""

    def __init__(self, planner: Planner) -> None:
        super().__init__(planner)
        self.users: set[str] = set()
        self._watchdog = Watchdog(TIMEOUT_S)

    def step(self) -> list[tuple[str, Generated]]:
        """Answer, or never."""
        self.users |= {request_id.split(":")[0] for request_id in self._requests}
        with self._watchdog:
            if len(self.users) > 2:
                Event().wait()
            return super().step()


def run(job: Job) -> str:
    """Run the shard until its engine hangs."""
    agent, folder = world.agent(job.settings), job.args.folder
    child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,), daemon=True)
    child.start()
    print(f"child {child.pid}", flush=True)
    engine = Hanging(Planner(agent.chat, agent.toolbox.tools))
    # Where no step is waited for nothing hangs, however long it takes.
    time.sleep(2 * TIMEOUT_S)
    run_shard(folder / "0", ONE_BY_ONE, engine, agent, world.snapshot(folder / "s"), 0, max_in_flight=1)
    return "never said"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to work."""
    parser.add_argument("--folder", type=Path, required=True)


if __name__ == "__main__":
    main("hanging_shard", run, add_arguments)
