"""Starts a job and kills it, with all its processes, in the middle."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

WAIT_S = 60


def start(module: str, *arguments: str, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """`python -m <module>` as the head of a process group of its own; what it writes goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )


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
