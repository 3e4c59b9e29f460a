"""What a section of the benchmarks gets, and the figures that it returns."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.measure import Measured, measure
from tests.benchmarks.processes import python

Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value."""

    name: str
    """`<section>.<what>`; the name holds what the value depends on, so equal names can be compared."""
    value: float
    unit: str
    """`s`, `GiB`, `ratio`."""
    context: Context = field(default_factory=dict)
    """What it was made from."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmarks."""

    folder: Path
    """Everything that a section makes goes here."""
    size: str
    """`full` or `small`."""
    console: Console

    def var(self, name: str) -> Path:
        """A `var` of the section's own, for the jobs that it runs."""
        return self.folder / name

    def run(self, module: str, *arguments: str, var: Path, **environment: str) -> Measured:
        """Run `python -m <module>` on a `var` and measure it.

        Raises:
            RuntimeError: it failed.
        """
        log = self.folder / "logs" / f"{var.name}-{module}.log"
        done = measure(python(module, *arguments), log, {"RECTHINKER__PATHS__VAR": str(var), **environment})
        self.console.out(
            f"{var.name}: {module} {' '.join(arguments[:4])}: {done.seconds:.1f} s wall, {done.cpu_seconds:.0f} s of "
            f"processor, {done.peak_gib:.2f} GiB",
            highlight=False,
        )
        return done


def write_figures(figures: Sequence[Figure], path: Path) -> None:
    """Write `figures` as a JSON list to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", encoding="utf-8")


def print_figures(figures: Sequence[Figure], console: Console) -> None:
    """`figures` as a table."""
    table = Table("figure", "value", "unit", "made from")
    for figure in figures:
        context = ", ".join(f"{key} {value}" for key, value in figure.context.items())
        table.add_row(figure.name, f"{figure.value:.3g}", figure.unit, context)
    console.print(table)
