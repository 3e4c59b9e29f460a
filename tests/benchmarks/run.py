"""`make bench`: measures the pipeline on generated data and writes var/bench/latest.json.

`python -m tests.benchmarks.run [full|small] [--only features] [--keep]`. A figure is a ratio of two measurements of the
same run where it can be, so that it means the same on another machine. What the run makes is removed at its end.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
from rich.console import Console

from recthinker.settings import load_settings
from tests.benchmarks.figures import Bench, Figure, print_figures, write_figures
from tests.benchmarks.measure import GIB
from tests.benchmarks.processes import exit_on_sigterm
from tests.benchmarks.sections import answers, features, inference, lookup, training

SECTIONS: dict[str, Callable[[Bench], list[Figure]]] = {
    "features": features.figures,
    "inference": inference.figures,
    "answers": answers.figures,
    "lookup": lookup.figures,
    "training": training.figures,
}
SIZES = ("full", "small")


def main() -> None:
    """Run the sections asked for."""
    arguments = _arguments()
    os.environ.setdefault("RECTHINKER_ENV", "bench")
    root = load_settings().paths.var.absolute() / "bench"
    root.mkdir(parents=True, exist_ok=True)
    (root / "spark").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=root))
    bench = Bench(folder, arguments.size, Console(soft_wrap=True))
    machine = _machine()
    bench.console.out(machine, highlight=False)
    try:
        measured = [figure for name in arguments.only or SECTIONS for figure in SECTIONS[name](bench)]
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)
    print_figures(measured, bench.console)
    told = [replace(figure, context={**figure.context, "machine": machine}) for figure in measured]
    write_figures(told, root / "latest.json")


def _machine() -> str:
    """Cores, memory and how busy it is: wall times of a busy machine mean little."""
    memory = psutil.virtual_memory().total / GIB
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f} before the run"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.run", description=__doc__)
    parser.add_argument("size", nargs="?", choices=SIZES, default="full")
    parser.add_argument("--only", action="append", choices=sorted(SECTIONS), help="a section; repeatable")
    parser.add_argument("--keep", action="store_true", help="leave the generated data and the tables in var/bench")
    return parser.parse_args()


if __name__ == "__main__":
    exit_on_sigterm()
    main()
