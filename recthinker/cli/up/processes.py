"""Processes of any parent: which descend from one, which still run, and ending them."""

import time
from collections.abc import Iterable

import psutil

STOP_S = 30.0
"""Within which a process that was asked to end should have."""
KILL_S = 10.0
POLL_S = 0.1


def tree(pid: int) -> list[psutil.Process]:
    """A process and all that descends from it; nothing where it has ended."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run. One that has ended stays in the list of processes until its parent asks for it."""
    alive = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
        except psutil.NoSuchProcess:
            continue
    return alive


def running_after(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run when the time is over; returns as soon as none does."""
    deadline = time.monotonic() + seconds
    while (alive := running(processes)) and time.monotonic() < deadline:
        processes = alive
        time.sleep(POLL_S)
    return alive


def end(processes: Iterable[psutil.Process], stop_s: float = STOP_S) -> list[str]:
    """TERM, then KILL after `stop_s`; the names of those that had to be killed."""
    alive = running(processes)
    for process in alive:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    return kill(running_after(alive, stop_s))


def kill(processes: Iterable[psutil.Process]) -> list[str]:
    """KILL, and wait until they are gone; the names of those that still ran."""
    alive, killed = running(processes), []
    for process in alive:
        try:
            name = f"{process.name()} ({process.pid})"
            process.kill()
        except psutil.NoSuchProcess:
            continue
        killed.append(name)
    running_after(alive, KILL_S)
    return killed
