"""The feature build: how it grows with the events, what a night costs beside a full build, its memory, and DuckDB.

Growth is that of the build without Spark's start, which would flatter it. A night is compared with a full build as both
are, and once more without what either takes of hardly any events: the start, and Spark's planning and compiling.
"""

import json
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from tests.benchmarks.figures import Bench, Figure
from tests.benchmarks.generate import add_night, write_world
from tests.benchmarks.measure import Measured, stage_seconds
from tests.benchmarks.world import World

SIZES = {
    "full": {
        "tiny": World(events=4_000, users=80, items=60, days=30),
        "5m": World(events=5_000_000, users=100_000, items=20_000),
        "25m": World(events=25_000_000, users=500_000, items=60_000),
    },
    "small": {
        "tiny": World(events=400, users=20, items=20, days=30),
        "4k": World(events=4_000, users=80, items=60, days=30),
        "20k": World(events=20_000, users=400, items=200, days=30),
    },
}
"""Worlds of each size: one of hardly any events, then a smaller and a larger one, of five times the events and users
alike as active."""
STARTS = 3
"""Starts of Spark in each way."""
DUCKDB_MEMORY = "12GB"
"""What the whole build may take; with 5 GB DuckDB runs out of memory at 25 million events."""
CO_INTERACTION_TABLES = ("co_interaction", "co_interaction_pairs")


@dataclass(frozen=True, slots=True)
class _Built:
    """One world, built in full and then for one more night."""

    var: Path
    day: str
    full: Measured
    night: Measured
    own_seconds: float
    """Of the full build, as the job itself tells them: without Python's start."""


def figures(bench: Bench) -> list[Figure]:
    """All figures of the section, from one run."""
    startup, archive = _startup(bench)
    worlds = SIZES[bench.size]
    _, low, high = worlds
    tiny, small, large = (_build(bench, name, world) for name, world in worlds.items())
    growth = (large.full.seconds - startup.seconds) / (small.full.seconds - startup.seconds)
    built = {name: _told_twice(one) for name, one in ((low, small), (high, large))}
    return [
        Figure("features.spark_startup_s", startup.seconds, "s"),
        archive,
        Figure(f"features.growth_{high}_over_{low}", growth, "ratio", built),
        _night_over_full(large, high),
        _night_over_full_above(tiny, large, high),
        _peak(large, high),
        *_over_duckdb(bench, large, high),
    ]


def _startup(bench: Bench) -> tuple[Measured, Figure]:
    """Spark's start, and its time over that without the archive of Java's classes; medians of turns."""
    without = {"RECTHINKER__SPARK__CONF": json.dumps({"spark.driver.defaultJavaOptions": "-Duser.timezone=UTC"})}
    runs = [
        [bench.run("tests.benchmarks.spark_startup", var=bench.var("startup"), **way) for way in ({}, without)]
        for _ in range(STARTS)
    ]
    own, plain = (sorted(turns, key=attrgetter("seconds"))[STARTS // 2] for turns in zip(*runs, strict=True))
    context = {"with": _told(own), "without": _told(plain)}
    return own, Figure("features.spark_startup_over_unarchived", own.seconds / plain.seconds, "ratio", context)


def _build(bench: Bench, name: str, world: World) -> _Built:
    var = bench.var(name)
    written = write_world(var / "warehouse", world)
    bench.console.out(f"{name}: {written} events generated", highlight=False)
    day = world.last_day.isoformat()
    full = bench.run("jobs.build_features", "--ds", day, "--run-id", "full", var=var)
    next_day = add_night(var / "warehouse", world)
    night = bench.run("jobs.build_features", "--ds", next_day, "--run-id", "night", var=var)
    return _Built(var, day, full, night, stage_seconds(var / "runs", day, "full")["build_features"])


def _night_over_full(built: _Built, name: str) -> Figure:
    context = {"world": name, "night": _told(built.night), "full": _told(built.full)}
    return Figure("features.night_over_full", built.night.seconds / built.full.seconds, "ratio", context)


def _night_over_full_above(tiny: _Built, built: _Built, name: str) -> Figure:
    """The ratio of what grows with the data: all that a world of hardly any events takes as well is left out."""
    night, full = built.night.seconds - tiny.night.seconds, built.full.seconds - tiny.full.seconds
    context = {"world": name, "night": f"{night:.1f} s", "full": f"{full:.1f} s"}
    return Figure("features.night_over_full_above_tiny", night / full, "ratio", context)


def _peak(built: _Built, name: str) -> Figure:
    context = {"world": name, "full": f"{built.full.peak_gib:.2f} GiB", "night": f"{built.night.peak_gib:.2f} GiB"}
    return Figure("features.peak_rss_gib", max(built.full.peak_gib, built.night.peak_gib), "GiB", context)


def _over_duckdb(bench: Bench, built: _Built, name: str) -> list[Figure]:
    """The build's seconds for co-interactions over those of DuckDB; none where the build does not tell its own."""
    own = table_seconds(built.var / "warehouse", built.day)
    if not set(CO_INTERACTION_TABLES) & set(own):
        bench.console.out("features.co_interaction_over_duckdb: table_status tells no seconds; left out")
        return []
    out = built.var / "duckdb.parquet"
    arguments = (str(built.var / "warehouse"), built.day, str(out), "--memory", DUCKDB_MEMORY)
    duckdb = bench.run("tests.benchmarks.duckdb_co_interaction", *arguments, var=built.var)
    seconds = sum(own.get(table, 0) for table in CO_INTERACTION_TABLES)
    context = {"world": name, "build": f"{seconds:.1f} s", "duckdb": f"{_told(duckdb)}, {duckdb.peak_gib:.1f} GiB"}
    return [Figure("features.co_interaction_over_duckdb", seconds / duckdb.seconds, "ratio", context)]


def table_seconds(warehouse: Path, ds: str) -> dict[str, float]:
    """Seconds of each table of `ds`, as `table_status` tells them; none where there is no such table."""
    path = str(warehouse / "table_status")
    if not DeltaTable.is_deltatable(path):
        return {}
    rows: list[dict[str, Any]] = DeltaTable(path).to_pyarrow_table(filters=[("ds", "=", ds)]).to_pylist()
    return {row["table"]: row["seconds"] for row in rows}


def _told(measured: Measured) -> str:
    return f"{measured.seconds:.1f} s ({measured.cpu_seconds:.0f} s of processor)"


def _told_twice(built: _Built) -> str:
    return f"{_told(built.full)}, {built.own_seconds:.1f} s by its own clock"
