"""Servers as child processes: started apart from this one's Ctrl-C, watched, ended with all that they have started."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from recthinker.cli.up.processes import STOP_S, kill, running, running_after, tree

SWEEP_S = 5.0


@dataclass(frozen=True, slots=True)
class Server:
    """What is started."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    """All of it."""
    log: Path
    """What it writes goes there, after what it wrote before."""


class Servers:
    """Those that are running.

    Args:
        folder: in which they, and what they start, run.
        stop_s: seconds that a server has to end in.
        sweep_s: seconds after which what they have started should be gone, too.
    """

    def __init__(self, folder: Path, *, stop_s: float = STOP_S, sweep_s: float = SWEEP_S) -> None:
        self._folder = folder
        self._stop_s, self._sweep_s = stop_s, sweep_s
        self._started: list[tuple[Server, subprocess.Popen[bytes]]] = []
        self._seen: list[psutil.Process] = []

    def start(self, server: Server) -> None:
        """Start one, as the head of a process group of its own."""
        server.log.parent.mkdir(parents=True, exist_ok=True)
        with server.log.open("ab") as log:
            child = subprocess.Popen(
                server.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=server.environment,
                cwd=self._folder,
                start_new_session=True,
            )
        self._started.append((server, child))

    def ended(self) -> tuple[Server, int] | None:
        """The first that has ended by itself, and its exit code."""
        codes = ((server, child.poll()) for server, child in self._started)
        return next(((server, code) for server, code in codes if code is not None), None)

    def processes(self) -> list[psutil.Process]:
        """The servers and what they have started, as far as it runs: also what has lost its parent since it was seen
        here before.
        """
        found = [process for _, child in self._started for process in tree(child.pid)]
        self._seen = running(dict.fromkeys([*self._seen, *found]))
        return self._seen

    def stop(self) -> list[str]:
        """End all, the one that was started last before the others: it may need them to end well.

        Returns:
            Names of what had to be killed.
        """
        left = self.processes()
        children = [child for _, child in self._started]
        for group in (children[-1:], children[:-1]):
            for child in group:
                child.terminate()  # does nothing to one that has ended
            ids = {child.pid for child in group}
            running_after([process for process in left if process.pid in ids], self._stop_s)
        killed = kill(running_after(dict.fromkeys([*left, *self.processes()]), self._sweep_s))
        for child in children:
            child.wait()
        return killed
