"""The batch engine: users a second end to end, what limits it, the driver beside other ways to feed the same engine.

Measured by `tests.benchmarks.agents.runs` in a process of its own, the loading of the engine apart.
"""

import json
from typing import Any

from tests.benchmarks.agents.runs import middle
from tests.benchmarks.figures import Bench, Figure


def figures(bench: Bench) -> list[Figure]:
    """All figures of the section, from one run."""
    folder = bench.var("agents")
    folder.mkdir()
    bench.run("tests.benchmarks.agents.runs", str(folder), bench.size, var=folder)
    measured = json.loads((folder / "runs.json").read_text(encoding="utf-8"))
    widths, nights = measured["widths"], measured["nights"]
    first, second = nights["first"], nights["second"]
    curve = {f"{width} in flight": f"{pace['per_s']:.0f} users/s" for width, pace in widths.items()}
    widest, narrowest = (widths[str(edge(map(int, widths)))]["per_s"] for edge in (max, min))
    steps, tokens = measured["steps"], {name: f"{count:.0f} tokens" for name, count in measured["tokens"].items()}
    unchanged = second["seconds"] / first["seconds"]
    return [
        Figure("inference.users_per_s", first["users"] / first["seconds"], "users/s", curve | tokens),
        Figure("inference.step_t0_ms", steps["t0"] * 1e3, "ms", {"R2": round(steps["r2"], 3), "steps": steps["steps"]}),
        Figure("inference.step_t1_ms", steps["t1"] * 1e3, "ms", {"per": "sequence"}),
        Figure("inference.step_t2_us", steps["t2"] * 1e6, "us", {"per": "prompt token computed"}),
        _beside("inference.engine_share", measured["plain"], "tokens_per_s"),
        Figure("inference.over_one_at_a_time", widest / narrowest, "ratio", curve),
        _beside("inference.over_waves", measured["waves_alike"], "per_s"),
        _beside("inference.over_waves_mixed", measured["waves_mixed"], "per_s"),
        _beside("inference.over_waves_few_long", measured["waves_few_long"], "per_s"),
        Figure("inference.unchanged_night_over_full", unchanged, "ratio", second["outcomes"]),
    ]


def _beside(name: str, pairs: list[dict[str, Any]], what: str) -> Figure:
    """The driver beside another way: the median of the pairs, and the last pair as people read it."""
    context = {
        way: f"{pace['per_s']:.0f} users/s, {pace['computed']} prompt tokens computed, {pace['generated']} written"
        for way, pace in pairs[-1].items()
    }
    return Figure(name, middle(pairs, what), "ratio", context)
