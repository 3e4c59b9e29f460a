"""Opens a snapshot in a process of its own and times lookups of random users; prints one JSON object.

`python -m tests.benchmarks.lookup_reads SNAPSHOT [--users 5000] [--seed 1]`
"""

import argparse
import gc
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from recthinker.agent import candidate_order
from recthinker.lookup import Snapshot
from recthinker.settings import load_settings
from recthinker.tools import BUILT_IN, Scene, Toolbox, ToolCall

MIB = 2**20


def measure_reads(folder: Path, *, users: int, seed: int) -> dict[str, Any]:
    """Seconds to open, memory beyond what the imports took, and microseconds of each kind of read.

    Users are drawn at random; each is found by key, then every tool is called once, for all candidates.
    """
    toolbox = Toolbox(load_settings("test", environ={}).tools.model_copy(update={"enabled": tuple(BUILT_IN)}))
    before = memory_mib()
    started = time.perf_counter()
    snapshot = Snapshot(folder)
    items, shards = snapshot.items, [snapshot.requests(shard) for shard in snapshot.shards]
    open_s = time.perf_counter() - started
    rng = np.random.default_rng(seed)
    taken: dict[str, list[float]] = {"row": [], **{name: [] for name in BUILT_IN}}
    for _ in range(users):
        shard = shards[rng.integers(len(shards))]
        key = shard.key(int(rng.integers(len(shard))))
        request, seconds = timed(lambda shard=shard, key=key: shard.get(key))
        taken["row"].append(seconds)
        scene = Scene(items, request, candidate_order(key, len(request.candidates), seed))
        for name in rng.permutation(list(BUILT_IN)):
            result, seconds = timed(lambda scene=scene, name=str(name): toolbox.call(scene, ToolCall(name)))
            assert result.is_valid, result
            taken[str(name)].append(seconds)
    after = memory_mib()
    return {
        "open_s": open_s,
        "rss_mib": after["Rss"] - before["Rss"],
        "private_mib": after["Private"] - before["Private"],
        "us": {name: percentiles(seconds) for name, seconds in taken.items()},
        "tools_us": percentiles([second for name in BUILT_IN for second in taken[name]]),
    }


def timed(read: Callable[[], Any]) -> tuple[Any, float]:
    """What `read` gives, and its seconds."""
    started = time.perf_counter()
    found = read()
    return found, time.perf_counter() - started


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Median and 99th percentile, microseconds."""
    p50, p99 = np.percentile(np.array(seconds) * 1e6, [50, 99])
    return {"p50": float(p50), "p99": float(p99)}


def memory_mib() -> dict[str, float]:
    """This process's resident memory, and the part of it that no file stands behind and no other process shares."""
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {"Rss": kib["Rss"] / 1024, "Private": kib["Anonymous"] / 1024}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.lookup_reads", description=__doc__)
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(measure_reads(arguments.snapshot, users=arguments.users, seed=arguments.seed)))


if __name__ == "__main__":
    main()
