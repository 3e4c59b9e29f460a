"""Progress bars of jobs in a terminal, fed by the lines that they print; where there is no terminal, those lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from recthinker.cli.told import Told


class JobBars:
    """A bar for each job that tells how far it is.

    Args:
        progress: where the bars are drawn.
        show: writes a line above them.
    """

    def __init__(self, progress: Progress, show: Callable[[str], None]) -> None:
        self.progress = progress
        self._show = show
        self._bars: dict[str, TaskID] = {}

    def show(self, text: str) -> None:
        """A line for people; the last one of a job ends its bar."""
        job, _, said = text.partition(": ")
        if said.startswith(("done in ", "failed: ")) and job in self._bars:
            self.progress.remove_task(self._bars.pop(job))
        self._show(text)

    def tell(self, told: Told) -> None:
        """A job said how far it is."""
        if not self.progress.console.is_terminal:
            self._show(f"{told.job}: {told.line}")
            return
        if told.job not in self._bars:
            self._bars[told.job] = self.progress.add_task("", more="")
        bar = self._bars[told.job]
        self.progress.update(bar, completed=told.done, total=told.total, description=told.name, more=told.more)


@contextmanager
def job_bars(console: Console, show: Callable[[str], None] | None = None) -> Iterator[JobBars]:
    """Bars at the foot of the console, gone at the end; `show` writes lines above them (None: as they are)."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[more]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
    )
    with Progress(*columns, console=console, transient=True, expand=True, disable=not console.is_terminal) as progress:
        yield JobBars(progress, show or progress.console.out)
