"""Who is up: with real processes, as only their locks and starts tell them apart."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from recthinker.cli.up.pid_file import PidFile
from recthinker.errors import ConfigError

HOLD = """\
import os, pathlib, sys, time
from recthinker.cli.up.pid_file import PidFile
file = PidFile(pathlib.Path(sys.argv[1]))
with file.hold() as left:
    file.record(os.getpid(), [])
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def sleeper() -> Iterator[psutil.Process]:
    with subprocess.Popen(["sleep", "60"]) as child:
        yield psutil.Process(child.pid)
        child.kill()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the file."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "up.pid")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_only_one_holds_it_and_all_know_who(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    file = PidFile(tmp_path / "up.pid")
    assert file.owner() == holder.pid
    with pytest.raises(ConfigError, match=f"process {holder.pid} holds"), file.hold():
        pass


def test_a_killed_holder_holds_nothing(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    file = PidFile(tmp_path / "up.pid")
    holder.kill()
    holder.wait()
    assert json.loads((tmp_path / "up.pid").read_text())["owner"] == holder.pid  # stale
    assert file.owner() is None
    with file.hold() as left:
        assert left == []


def test_what_a_crashed_one_left_is_found(sleeper: psutil.Process, tmp_path: Path) -> None:
    file = PidFile(tmp_path / "up.pid")
    file.record(os.getpid(), [sleeper])
    with file.hold() as left:
        assert left == [sleeper]
    with file.hold() as left:
        assert left == []  # it ended well in between


def test_an_id_that_is_anothers_by_now_is_left_alone(sleeper: psutil.Process, tmp_path: Path) -> None:
    path = tmp_path / "up.pid"
    path.write_text(json.dumps({"owner": 1, "processes": [[sleeper.pid, sleeper.create_time() - 60]]}))
    with PidFile(path).hold() as left:
        assert left == []


def test_a_half_written_file_is_of_nobody(tmp_path: Path) -> None:
    path = tmp_path / "up.pid"
    path.write_text('{"owner": 12, "proc')
    with PidFile(path).hold() as left:
        assert left == []
