"""Opens a snapshot in a process of its own and times lookups of random users; writes one JSON object.

`python -m tests.benchmarks.lookup_reads SNAPSHOT OUT [--users 5000] [--seed 1]`
"""

import argparse
import gc
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recthinker.agent import candidate_order
from recthinker.lookup import Snapshot
from recthinker.settings import load_settings
from recthinker.tools import BUILT_IN, Scene, Toolbox, ToolCall


def measure_reads(folder: Path, *, users: int, seed: int) -> dict[str, Any]:
    """Seconds to open, memory beyond what the imports took, and microseconds of each kind of read.

    Users are drawn at random; each is found by key, then every tool is called once, for all candidates. In the end one
    call is repeated as often, which always does the same: how far its times lie apart is the machine's doing.
    """
    toolbox = Toolbox(load_settings("test", environ={}).tools.model_copy(update={"enabled": tuple(BUILT_IN)}))
    before = memory_mib()
    started = time.perf_counter()
    snapshot = Snapshot(folder)
    items, shards = snapshot.items, [snapshot.requests(shard) for shard in snapshot.shards]
    open_s = time.perf_counter() - started
    rng = np.random.default_rng(seed)
    taken: dict[str, list[tuple[float, float]]] = {"row": [], **{name: [] for name in BUILT_IN}}
    for _ in range(users):
        shard = shards[rng.integers(len(shards))]
        key = shard.key(int(rng.integers(len(shard))))
        request = timed(taken["row"], partial(shard.get, key))
        scene = Scene(items, request, candidate_order(key, len(request.candidates), seed))
        for name in rng.permutation(list(BUILT_IN)).tolist():
            result = timed(taken[name], partial(toolbox.call, scene, ToolCall(name)))
            if not result.is_valid:
                raise RuntimeError(f"{name} of {key}: {result}")
    repeated: list[tuple[float, float]] = []
    for _ in range(users):
        timed(repeated, partial(toolbox.call, scene, ToolCall("item_info")))
    after = memory_mib()
    tools = [times for name in BUILT_IN for times in taken[name]]
    return {
        "open_s": open_s,
        "rss_mib": after["Rss"] - before["Rss"],
        "private_mib": after["Private"] - before["Private"],
        "us": {name: percentiles([wall for wall, _ in times]) for name, times in taken.items()},
        "repeated_us": percentiles([wall for wall, _ in repeated]),
        "tools_us": percentiles([wall for wall, _ in tools]),
        "processor_us": percentiles([own for _, own in tools]),
    }


def timed(taken: list[tuple[float, float]], read: Callable[[], Any]) -> Any:
    """What `read` gives; its wall seconds and its processor seconds are added to `taken`."""
    started, used = time.perf_counter(), time.thread_time()
    found = read()
    used = time.thread_time() - used
    taken.append((time.perf_counter() - started, used))
    return found


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
    parser.add_argument("out", type=Path, help="file to write")
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    found = measure_reads(arguments.snapshot, users=arguments.users, seed=arguments.seed)
    arguments.out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
