"""How much longer a step of the RL trainer takes than a plain one on the same episodes."""

import json
import statistics

from tests.benchmarks.figures import Bench, Figure

STEPS = {"small": 3, "full": 9}


def figures(bench: Bench) -> list[Figure]:
    """The ratio of the median steps; beside it that of TRL's own trainer."""
    var = bench.var("training")
    var.mkdir()
    bench.run("tests.benchmarks.trainer_step", str(var), str(STEPS[bench.size]), var=var)
    told = json.loads((var / "steps.json").read_text(encoding="utf-8"))
    step = {name: statistics.median(values) for name, values in told["seconds"].items()}
    context = {
        "step": ", ".join(f"{name} {seconds:.2f} s" for name, seconds in step.items()),
        "TRL's own over plain": f"{step['trl'] / step['plain']:.2f}",
        **{name: told[name] for name in ("episodes", "tokens", "learned")},
    }
    return [Figure("training.step_over_plain", step["ours"] / step["plain"], "ratio", context)]
