"""Lookups into the snapshot of a large site, in a process of its own: opening it, its memory, each read of a tool."""

import json
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Bench, Figure
from tests.benchmarks.snapshot_world import SnapshotWorld

SIZES = {
    "full": SnapshotWorld(users=1_000_000, items=50_000),
    "small": SnapshotWorld(users=10_000, items=2_000, shards=2),
}
READS = {"full": 5_000, "small": 1_000}
"""Users whose rows are looked up."""


def figures(bench: Bench) -> list[Figure]:
    """All figures of the section, from one snapshot."""
    world, var = SIZES[bench.size], bench.var("lookup")
    snapshot = var / "snapshot"
    size = ("--users", str(world.users), "--items", str(world.items), "--shards", str(world.shards))
    written = bench.run("tests.benchmarks.snapshot_world", str(snapshot), *size, var=var)
    out = var / "reads.json"
    bench.run("tests.benchmarks.lookup_reads", str(snapshot), str(out), "--users", str(READS[bench.size]), var=var)
    read: dict[str, Any] = json.loads(Path(out).read_text(encoding="utf-8"))
    made = {"users": world.users, "items": world.items}
    write = {"written in": f"{written.seconds:.0f} s", "with": f"{written.peak_gib:.2f} GiB"}
    return [
        Figure("lookup.p50_us", read["tools_us"]["p50"], "us", made | _by_read(read, "p50")),
        Figure("lookup.p99_us", read["tools_us"]["p99"], "us", made | _by_read(read, "p99")),
        Figure("lookup.open_s", read["open_s"], "s", made | write),
        Figure("lookup.rss_mib", read["rss_mib"], "MiB", made | {"private": f"{read['private_mib']:.0f} MiB"}),
    ]


def _by_read(read: dict[str, Any], percentile: str) -> dict[str, float]:
    """By tool, and of the row lookup; over all tools in processor time, which a busy machine changes less; and of one
    call again and again.
    """
    by_read = {name: round(found[percentile], 1) for name, found in read["us"].items()}
    more = {"of processor": "processor_us", "item_info of one user, repeated": "repeated_us"}
    return by_read | {name: round(read[key][percentile], 1) for name, key in more.items()}
