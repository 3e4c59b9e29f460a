"""`make bench`: measures the pipeline on generated data and writes var/bench/latest.json.

`python -m tests.benchmarks.run [full|small] [--only features] [--keep]`. A figure is a ratio of two measurements of the
same run where it can be, so that it means the same on another machine. What the run makes is removed at its end.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from recthinker.settings import load_settings
from tests.benchmarks.figures import Bench, Figure, print_figures, write_figures
from tests.benchmarks.sections import features

SECTIONS: dict[str, Callable[[Bench], list[Figure]]] = {"features": features.figures}
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
    try:
        measured = [figure for name in arguments.only or SECTIONS for figure in SECTIONS[name](bench)]
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)
    write_figures(measured, root / "latest.json")
    print_figures(measured, bench.console)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.run", description=__doc__)
    parser.add_argument("size", nargs="?", choices=SIZES, default="full")
    parser.add_argument("--only", action="append", choices=sorted(SECTIONS), help="a section; repeatable")
    parser.add_argument("--keep", action="store_true", help="leave the generated data and the tables in var/bench")
    return parser.parse_args()


if __name__ == "__main__":
    main()
