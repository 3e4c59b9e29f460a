"""Kills every job of a retraining at random moments and between its steps, looks, runs it again, compares.

`python -m tests.benchmarks.retrain_drill [--kills 1] [--seed 1] [--job train_rl]`. A small retraining with vLLM runs
once undisturbed. Then it runs again, and each job is killed (SIGKILL to all its processes) `--kills` times between 5 %
and 95 % of its usual time, and once at each moment of `retrainings/moments.py`; every time from where the job before it
ended, and is run again to its end. What must hold is in `retrainings/checks.py`. Exit code 1 where it does not.
"""

import argparse
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from safetensors.numpy import load_file

from recthinker.registry.versions import WEIGHTS
from recthinker.settings import load_settings
from recthinker.training.stage import MODEL
from tests.benchmarks.measure import measure
from tests.benchmarks.processes import exit_on_sigterm, kill_tree, python
from tests.benchmarks.retrainings.checks import PROMOTING, TRAINED, after_kill, after_retry, told
from tests.benchmarks.retrainings.moments import Moment, after, between, last_checkpoint
from tests.benchmarks.retrainings.state import State, look
from tests.benchmarks.retrainings.world import STEPS, RetrainWorld, Step, build

EARLIEST, LATEST = 0.05, 0.95
RESUMED = re.compile(r"^rl, NDCG\s+\S+ (\d+)/", re.MULTILINE)
"""The first such line of a job's log tells the first step that it made."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A job that nobody killed."""

    step: Step
    seconds: float
    state: State
    """When it had ended."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill and what came of it."""

    job: str
    moment: str
    seen: str
    """What was there after it."""
    faults: Sequence[str]
    note: str
    """Where RL went on, and how near its weights came to the undisturbed ones."""


def drill(folder: Path, *, kills: int, seed: int, jobs: Sequence[str] = ()) -> Iterator[Kill]:
    """Kill each job, or only `jobs`; everything that is made goes into `folder`."""
    landed, rng = build(folder / "landed", seed), random.Random(seed)
    once = landed.copy(folder / "once")
    undisturbed = list(run_undisturbed(once))
    world = landed.copy(folder / "killed")
    start_serving(world)
    for one in undisturbed:
        if one.step[0] == PROMOTING:
            world.win()
        if jobs and one.step[0] not in jobs:
            world.finish(one.step)
            continue
        moments = [after(rng.uniform(EARLIEST, LATEST), one.seconds) for _ in range(kills)]
        began, before = world.copy(folder / "began"), look(world)
        for moment in (*moments, *between(one.step)):
            shutil.rmtree(world.var)
            began.copy(world.var)
            yield kill_once(world, once, one, moment, before=before, whole=undisturbed[-1].state)
        shutil.rmtree(began.var)


def run_undisturbed(world: RetrainWorld) -> Iterator[Undisturbed]:
    """The whole retraining."""
    start_serving(world)
    for step in world.steps():
        if step[0] == PROMOTING:
            world.win()
        seconds = world.finish(step)
        yield Undisturbed(step, seconds, look(world))


def start_serving(world: RetrainWorld) -> None:
    """A champion, registered by another process: this one would keep MLflow's database open."""
    measure(python("tests.benchmarks.retrainings.champion"), world.log, world.environment)


def kill_once(
    world: RetrainWorld, once: RetrainWorld, one: Undisturbed, moment: Moment, *, before: State, whole: State
) -> Kill:
    """Kill a job, look, and run it again; where that fails, once more from where the job began.

    Args:
        before: the state that the job starts from; `whole` that of the undisturbed run at its end.
    """
    job = world.start(one.step)
    try:
        was_running = moment.wait(job, world)
    finally:
        kill_tree(job.pid)
        job.wait()
    seen, checkpoint = look(world), last_checkpoint(world)
    faults = [f"after the kill, {fault}" for fault in after_kill(seen, before, whole, one.step[0])]
    try:
        world.finish(one.step)
    except RuntimeError as error:
        return _kill(one, moment, was_running, seen, [*faults, f"it does not run again: {error}"])
    notes: list[str] = []
    if one.step[0] == "train_rl":
        resumed = resumed_at(world.log.read_text(encoding="utf-8"))
        notes.append(f"went on at step {resumed or 'none'} from checkpoint {checkpoint or 'none'}")
        if checkpoint < STEPS and resumed != checkpoint + 1 and "rl" not in seen.stages:
            faults.append(f"RL {notes[0]}")
    if TRAINED in one.state.stages:
        notes.append(f"RL's weights differ by {largest_difference(world, once):.2g}")
    faults += [f"after another run, {fault}" for fault in after_retry(look(world), one.state)]
    return _kill(one, moment, was_running, seen, faults, notes)


def resumed_at(log: str) -> int | None:
    """The first step of RL that a job made, by what it wrote; None: it made none."""
    found = RESUMED.search(log)
    return int(found[1]) if found else None


def largest_difference(one: RetrainWorld, other: RetrainWorld) -> float:
    """Of any weight of the two RL models."""
    ours, theirs = (load_file(world.run_dir / "retrain" / TRAINED / MODEL / WEIGHTS) for world in (one, other))
    return max(float(np.abs(ours[name] - theirs[name]).max()) for name in theirs)


def _kill(
    one: Undisturbed,
    moment: Moment,
    was_running: bool,
    seen: State,
    faults: Sequence[str],
    notes: Sequence[str] = (),
) -> Kill:
    when = moment.name if was_running else f"{moment.name} (had ended)"
    return Kill(" ".join(one.step), when, told(seen), faults, ", ".join(notes))


def main() -> None:
    """Drill and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.retrain_drill", description=__doc__)
    parser.add_argument("--kills", type=int, default=1, help="at random moments, of each job")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--job", action="append", help="only this job; repeatable")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    root = load_settings().paths.var.absolute() / "drill"
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="retrain-", dir=root))
    table, faults = Table("job", "killed at", "what was there", "in the end equal", "noted"), []
    try:
        for kill in drill(folder, kills=arguments.kills, seed=arguments.seed, jobs=arguments.job or ()):
            faults += [f"{kill.job}, {kill.moment}: {fault}" for fault in kill.faults]
            row = (kill.job, kill.moment, kill.seen, "no" if kill.faults else "yes", kill.note)
            table.add_row(*map(escape, row))
            console.out(" | ".join(row), *kill.faults, sep="\n", highlight=False)
    finally:
        shutil.rmtree(folder)
    console.print(table, *map(escape, faults), sep="\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    exit_on_sigterm()
    main()
