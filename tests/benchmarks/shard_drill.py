"""Breaks the shard job in every way that a night can, and looks at what is lost, repeated and said.

`python -m tests.benchmarks.shard_drill [--kills 20] [--users 2000] [--seed 1] [--engine vllm] [--only killed]`. Exit
code 1 where a user is lost, a finished one asked again, a ranking is not that of an untouched run, or nothing is said.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recthinker.settings import load_settings
from tests.benchmarks.agents.bad_input import hostile_titles, tool_faults
from tests.benchmarks.agents.drilled import Drill
from tests.benchmarks.agents.kills import killed, killed_engine
from tests.benchmarks.agents.shards import ShardWorld
from tests.benchmarks.agents.storage import corrupt_part, full_disk
from tests.benchmarks.agents.world import AgentWorld
from tests.benchmarks.processes import exit_on_sigterm

DRILLS = ("killed", "full_disk", "corrupt_part", "killed_engine", "tool_faults", "hostile_titles")


def drills(world: ShardWorld, *, kills: int, seed: int, only: str | None = None) -> Iterator[Drill]:
    """All of them on one world."""
    run = world.run("untouched")
    if run.finish():
        raise RuntimeError(run.last_line())
    untouched = run.rankings()
    ways: dict[str, Callable[[], Drill]] = {
        "killed": lambda: killed(world, untouched, kills=kills, rng=random.Random(seed)),
        "full_disk": lambda: full_disk(world, untouched, size_kib=2 * len(untouched)),
        "corrupt_part": lambda: corrupt_part(world, untouched),
        "tool_faults": lambda: tool_faults(world),
        "hostile_titles": lambda: hostile_titles(world),
    }
    if world.settings.inference.engine == "vllm":
        ways["killed_engine"] = lambda: killed_engine(world, untouched)
    for name, way in ways.items():
        if only in (None, name):
            yield way()


def main() -> None:
    """Drill and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.shard_drill", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("vllm", "scripted"), default="vllm")
    parser.add_argument("--only", choices=DRILLS)
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    root = load_settings().paths.var.absolute() / "drill"
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="shards-", dir=root))
    table, faults = Table("what was done", "users lost", "asked again", "said"), []
    try:
        world = ShardWorld.make(folder, AgentWorld(users=arguments.users), arguments.engine, users_per_part=32)
        for drill in drills(world, kills=arguments.kills, seed=arguments.seed, only=arguments.only):
            faults += drill.faults
            row = (drill.done, str(drill.lost), str(drill.repeated), drill.said[:200])
            table.add_row(*map(escape, row))
            console.out(" | ".join(row), *drill.faults, sep="\n", highlight=False)
    finally:
        shutil.rmtree(folder)
    console.print(table, *faults, sep="\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    exit_on_sigterm()
    main()
