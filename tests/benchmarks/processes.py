"""Child processes: starting them apart from this one, and ending them with all that they have started."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

WAIT_S = 60


def python(module: str, *arguments: str) -> list[str]:
    """The command `python -m <module> <arguments>`, by the Python that runs this."""
    return [sys.executable, "-m", module, *arguments]


def start(
    command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start `command` as the head of a process group of its own, with `environment` over this process's own; what it
    writes goes to `log`. Ctrl-C does not reach it: whoever starts it also ends it (`kill_tree`).
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        return subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )


def exit_on_sigterm() -> None:
    """Let SIGTERM end this process as an error would, so that it ends its children and removes its files."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def kill_tree(pid: int) -> None:
    """SIGKILL the process group of `pid` and every descendant that left it (Spark's Python workers do); wait for all.

    A process that has ended already is left as it is.
    """
    try:
        head = psutil.Process(pid)
        processes = [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    os.killpg(os.getpgid(pid), signal.SIGKILL)
    for process in processes[1:]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes[1:], timeout=WAIT_S)
