"""Runs a command and measures it with all its children: wall time, processor time, peak memory.

Memory is the proportional set size: pages that processes share count once in all.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import psutil

from tests.benchmarks.processes import kill_tree, start

INTERVAL_S = 0.5
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a command."""

    seconds: float
    """Wall time until the command and its children were gone."""
    cpu_seconds: float
    """User and system time of all its processes; what a process used after its last sample is missing."""
    peak_gib: float
    """Largest sum of the proportional set sizes of all its processes."""


@dataclass
class _Samples:
    peak: int = 0
    cpu: dict[int, float] = field(default_factory=dict)

    def take(self, processes: Sequence[psutil.Process]) -> None:
        self.peak = max(self.peak, sum(_pss(process.pid) for process in processes))
        for process in processes:
            try:
                used = process.cpu_times()
            except psutil.Error:
                continue
            self.cpu[process.pid] = used.user + used.system


def measure(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Measured:
    """Run `command` with `environment` over this process's own; all that it writes goes to `log`.

    Raises:
        RuntimeError: it failed; the message holds the end of the log.
    """
    samples, over = _Samples(), threading.Event()
    started = monotonic()
    child = start(command, log, environment)
    sampler = threading.Thread(target=_sample, args=(child.pid, samples, over))
    sampler.start()
    try:
        code = child.wait()
    except BaseException:
        kill_tree(child.pid)
        raise
    finally:
        over.set()
        sampler.join()
    seconds = monotonic() - started
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}; the end of {log}:\n{log.read_text()[-2000:]}")
    return Measured(seconds, sum(samples.cpu.values()), samples.peak / GIB)


def stage_seconds(runs: Path, ds: str, run_id: str) -> dict[str, float]:
    """Wall seconds of each job of a run, as the jobs themselves wrote them."""
    stages = (json.loads(path.read_text()) for path in sorted((runs / ds / run_id / "stages").glob("*.json")))
    return {stage["stage"]: stage["seconds"] for stage in stages}


def _sample(pid: int, samples: _Samples, over: threading.Event) -> None:
    """Sample the process and its descendants until it is over and they are gone too.

    Spark's Java process outlives the Python that started it for a moment: the next run should not meet it.
    """
    seen: dict[int, psutil.Process] = {}
    while True:
        try:
            root = psutil.Process(pid)
            seen.update({process.pid: process for process in (root, *root.children(recursive=True))})
        except psutil.NoSuchProcess:
            pass
        alive = [process for process in seen.values() if process.is_running()]
        samples.take(alive)
        if over.wait(INTERVAL_S) and not any(_is_alive(process) for process in alive):
            return


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _pss(pid: int) -> int:
    """Proportional set size in bytes; 0 where the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
