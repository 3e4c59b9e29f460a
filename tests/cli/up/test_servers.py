"""Starting, watching and ending real processes."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from recthinker.cli.up.processes import end, running, running_after
from recthinker.cli.up.servers import Server, Servers

WAIT = "import time; print('up', flush=True); time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {DEAF!r}], start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
{WAIT}
"""
TELLS = (
    """
import signal, sys, time
def tell(*_):
    with open("order", "a") as file:
        print({0!r}, file=file)
    sys.exit()
signal.signal(signal.SIGTERM, tell)
"""
    + WAIT
)
Start = Callable[[str, str], psutil.Process]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path, sweep_s=0.5)
    yield servers
    for process in servers.processes():
        process.kill()


@pytest.fixture
def start(servers: Servers, tmp_path: Path) -> Start:
    """Start a program as a server, and wait until it says that it is up."""

    def start(name: str, code: str) -> psutil.Process:
        log = tmp_path / "logs" / f"{name}.log"
        before = servers.processes()
        servers.start(Server(name, [sys.executable, "-c", code], os.environ, log))
        while "up" not in log.read_text():
            time.sleep(0.02)
        return next(process for process in servers.processes() if process not in before)

    return start


def test_servers_end_by_themselves_the_last_one_first(servers: Servers, start: Start, tmp_path: Path) -> None:
    for name in ("first", "second", "last"):
        start(name, TELLS.format(name))
    assert servers.stop() == []
    ended = (tmp_path / "order").read_text().split()
    assert (ended[0], sorted(ended)) == ("last", ["first", "last", "second"])
    assert servers.processes() == []


def test_nothing_that_a_server_started_stays(servers: Servers, start: Start) -> None:
    parent = start("parent", PARENT)
    [child] = parent.children()
    deaf = f"{child.name()} ({child.pid})"
    assert servers.stop() == [deaf]
    assert running([parent, child]) == []


def test_a_child_that_lost_its_parent_is_still_known(servers: Servers, start: Start) -> None:
    parent = start("parent", PARENT)
    [child] = parent.children()
    parent.kill()
    assert running_after([parent], 10) == []
    assert servers.processes() == [child]


def test_one_that_ends_by_itself_is_told(servers: Servers, start: Start, tmp_path: Path) -> None:
    start("lasting", WAIT)
    assert servers.ended() is None
    servers.start(Server("brief", [sys.executable, "-c", "raise SystemExit(3)"], os.environ, tmp_path / "log"))
    while (found := servers.ended()) is None:
        time.sleep(0.02)
    assert (found[0].name, found[1]) == ("brief", 3)


def test_leftovers_are_asked_to_end_before_they_are_killed(start: Start) -> None:
    polite, deaf = start("polite", WAIT), start("deaf", DEAF)
    name = f"{deaf.name()} ({deaf.pid})"
    assert end([polite, deaf], stop_s=0.5) == [name]
    assert running([polite, deaf]) == []
