"""One `make up` at a time, and what a crashed one left running.

The file is locked for as long as the process that holds it lives, however that ends: what an unlocked file tells is of
one that did not end well.
"""

import fcntl
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import psutil

from recthinker.cli.up.processes import running
from recthinker.errors import ConfigError

SAME_START_S = 1.0
"""Two processes of one id whose starts are further apart are two: ids are given again."""


class PidFile:
    """Who is up, and the processes of that one.

    Args:
        path: of the file; it is made, and stays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def owner(self) -> int | None:
        """Id of the process that holds the file now, or None."""
        with self._open() as file:
            return None if _is_locked_by_us(file) else int(_read(file).get("owner", 0))

    @contextmanager
    def hold(self) -> Iterator[list[psutil.Process]]:
        """Hold the file; when all has gone well, nothing stands in it afterwards.

        Yields:
            Processes that a crashed one left running.

        Raises:
            ConfigError: another process holds it.
        """
        with self._open() as file:
            if not _is_locked_by_us(file):
                raise ConfigError(f"process {_read(file).get('owner')} holds {self._path}; let it end or stop it")
            yield _alive(_read(file).get("processes", []))
            file.truncate(0)

    def record(self, owner: int, processes: Iterable[psutil.Process]) -> None:
        """Tell who holds the file, and which processes are to end with it."""
        found = {"owner": owner, "processes": list(_starts(processes))}
        # In place: another file under the name would not be the one that is locked.
        self._path.write_text(json.dumps(found), encoding="utf-8")

    def _open(self) -> TextIO:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._path.open("a+", encoding="utf-8")


def _is_locked_by_us(file: TextIO) -> bool:
    """Lock the file until it is closed, unless another process has."""
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: TextIO) -> dict[str, Any]:
    """What the file tells; nothing, where it was left half written."""
    file.seek(0)
    try:
        found: dict[str, Any] = json.loads(file.read())
    except ValueError:
        return {}
    return found


def _starts(processes: Iterable[psutil.Process]) -> Iterator[tuple[int, float]]:
    """Id and start of those that still run."""
    for process in processes:
        try:
            yield process.pid, process.create_time()
        except psutil.NoSuchProcess:
            continue


def _alive(recorded: Iterable[tuple[int, float]]) -> list[psutil.Process]:
    """Those of the processes that still run."""
    same = []
    for pid, started in recorded:
        try:
            process = psutil.Process(pid)
            if abs(process.create_time() - started) < SAME_START_S:
                same.append(process)
        except psutil.NoSuchProcess:
            continue
    return running(same)
