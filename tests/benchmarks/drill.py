"""`make drill`: kills the feature jobs at random moments, looks at the tables, runs the jobs again, compares.

`python -m tests.benchmarks.drill [--kills 10] [--events 50000] [--seed 1] [--job build_features] [--keep]`. Each job is
killed (SIGKILL to all its processes) `--kills` times between 5 % and 95 % of its usual time, by turns where no date is
built yet (`first`) and where the previous date is (`next`). After each kill a reader must see, in every table, the rows
from before or the rows of an untouched run, nothing in between; after another run all rows must be those of the
untouched run. Exit code 1 where that fails.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from subprocess import TimeoutExpired

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from recthinker.settings import load_settings
from tests.benchmarks.generate import write_world
from tests.benchmarks.measure import measure
from tests.benchmarks.processes import exit_on_sigterm, kill_tree, python, start
from tests.benchmarks.same_rows import are_same, differences, rows_of, table_names
from tests.benchmarks.world import World

JOBS = ("build_features", "build_candidates")
EARLIEST, LATEST = 0.05, 0.95
BY_ROW = ("table_status",)
"""Tables to which a job adds row by row, one commit a table built."""


@dataclass(frozen=True, slots=True)
class Way:
    """A job from a known start to a known end."""

    job: str
    name: str
    """`first` or `next`."""
    ds: str
    before: Path
    """The `var` that it starts from."""
    after: Path
    """The `var` that an untouched run left."""
    seconds: float
    """What that run took."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill and what came of it."""

    way: Way
    moment: float
    """Share of the usual time."""
    was_running: bool
    visible: str
    """What a reader saw after the kill."""
    faults: Sequence[str]
    """Tables that were neither old nor new, and those that differ after another run."""


def drill(folder: Path, world: World, *, kills: int, seed: int, jobs: Sequence[str] = JOBS) -> Iterator[Kill]:
    """Kill each job `kills` times; everything that is made goes into `folder`."""
    ways = prepare(folder, world, JOBS[: 1 + max(map(JOBS.index, jobs))])
    rng = random.Random(seed)
    for job in jobs:
        turns = [way for way in ways if way.job == job]
        for number in range(kills):
            var = folder / f"{job}-{number}"
            yield _kill_once(turns[number % len(turns)], rng.uniform(EARLIEST, LATEST), var)
            shutil.rmtree(var)


def prepare(folder: Path, world: World, jobs: Sequence[str]) -> list[Way]:
    """Untouched runs of some jobs one after the other, on the landing tables alone and after the date before."""
    landed = folder / "landed"
    write_world(landed / "warehouse", world)
    previous, ds = (world.last_day - timedelta(days=1)).isoformat(), world.last_day.isoformat()
    built = landed
    for job in jobs:
        built = _untouched(job, "previous", previous, built).after
    ways: list[Way] = []
    for name, start_var in (("first", landed), ("next", built)):
        var = start_var
        for job in jobs:
            ways.append(_untouched(job, name, ds, var))
            var = ways[-1].after
    return ways


def _untouched(job: str, name: str, ds: str, before: Path) -> Way:
    after = before.parent / f"{job}-{name}"
    shutil.copytree(before, after)
    measured = measure(_command(job, ds, "untouched"), after / "log", _environment(after))
    return Way(job, name, ds, before, after, measured.seconds)


def _kill_once(way: Way, moment: float, var: Path) -> Kill:
    shutil.copytree(way.before, var)
    job = start(_command(way.job, way.ds, "killed"), var / "killed.log", _environment(var))
    try:
        job.wait(moment * way.seconds)
        was_running = False
    except TimeoutExpired:
        was_running = True
    finally:
        kill_tree(job.pid)
        job.wait()
    seen = {name: _seen(way, var, name) for name in table_names(way.after / "warehouse", var / "warehouse")}
    faults = [f"after the kill, {name} is neither old nor new" for name, what in seen.items() if what == "half"]
    measure(_command(way.job, way.ds, "again"), var / "again.log", _environment(var))
    unequal = differences(var / "warehouse", way.after / "warehouse")
    return Kill(way, moment, was_running, _told(seen), [*faults, *(f"after another run, {line}" for line in unequal)])


def _seen(way: Way, var: Path, name: str) -> str:
    """`same` (a job leaves the table as it is), `old`, `new`, or `half`."""
    before, after, now = (rows_of(root / "warehouse", name) for root in (way.before, way.after, var))
    if are_same(before, after):
        return "same" if are_same(now, before) else "half"
    if are_same(now, before):
        return "old"
    if are_same(now, after):
        return "new"
    return "some rows" if name in BY_ROW and _is_between(before, now, after) else "half"


def _is_between(before: pa.Table, now: pa.Table, after: pa.Table) -> bool:
    """Whether each row of `now` is one of `before` or `after`, and none of both together is missing."""
    old, seen, new = ({str(row) for row in rows.to_pylist()} for rows in (before, now, after))
    return seen <= old | new and old & new <= seen


def _told(seen: dict[str, str]) -> str:
    """`new: a, b; old: c`, tables that stay as they are left out."""
    kinds = [kind for kind in ("new", "some rows", "old", "half") if kind in seen.values()]
    return "; ".join(f"{kind}: {', '.join(name for name in seen if seen[name] == kind)}" for kind in kinds)


def _command(job: str, ds: str, run_id: str) -> list[str]:
    return python(f"jobs.{job}", "--ds", ds, "--run-id", run_id)


def _environment(var: Path) -> dict[str, str]:
    """Settings of a job on `var`; what a killed Spark leaves goes away with it."""
    spark_dir = f"{{spark.local.dir: {var.absolute() / 'spark'}}}"
    return {"RECTHINKER__PATHS__VAR": str(var.absolute()), "RECTHINKER__SPARK__CONF": spark_dir}


def main() -> None:
    """Drill and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.drill", description=__doc__)
    parser.add_argument("--kills", type=int, default=10, help="of each job")
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--job", action="append", choices=JOBS, help="only this job; repeatable")
    parser.add_argument("--keep", action="store_true", help="leave the untouched tables in var/drill")
    arguments = parser.parse_args()
    console, events = Console(soft_wrap=True), arguments.events
    root = load_settings().paths.var.absolute() / "drill"
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=root))
    users, items = max(10, events // 50), max(10, events // 100)
    world = World(events=events, users=users, items=items, days=30, seed=arguments.seed)
    table = Table("job", "way", "killed at", "of", "a reader saw", "in the end equal")
    faults: list[str] = []
    try:
        jobs = arguments.job or JOBS
        for kill in drill(folder, world, kills=arguments.kills, seed=arguments.seed, jobs=jobs):
            faults += kill.faults
            row = _row(kill)
            table.add_row(*row)
            console.out(" | ".join(row), highlight=False)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)
    console.print(table, *faults, sep="\n")
    sys.exit(1 if faults else 0)


def _row(kill: Kill) -> tuple[str, ...]:
    way = kill.way
    moment = f"{kill.moment * way.seconds:.1f} s" + ("" if kill.was_running else " (had ended)")
    return way.job, way.name, moment, f"{way.seconds:.1f} s", kill.visible, "no" if kill.faults else "yes"


if __name__ == "__main__":
    os.environ.setdefault("RECTHINKER_ENV", "local")
    exit_on_sigterm()
    main()
