import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil

from jobs._cli import EXIT_RETRY
from recthinker.inference import ScriptedEngine
from recthinker.inference.scripted import Planner
from recthinker.inference.shard import run_shard
from recthinker.lookup import Snapshot
from recthinker.settings import Settings
from tests import little_world as world
from tests.jobs.hanging_shard import ONE_BY_ONE


def test_a_hung_engine_ends_its_job_and_a_retry_goes_on(tmp_path: Path, settings: Settings) -> None:
    command = [sys.executable, "-m", "tests.jobs.hanging_shard", "--folder", str(tmp_path)]
    environment = {**os.environ, "RECTHINKER_ENV": "test"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == EXIT_RETRY, done.stderr
    first, *_, last = done.stdout.splitlines()
    assert re.fullmatch(
        r"hanging_shard failed: EngineError: the engine hangs: an engine step should return within 2 s "
        r"\(inference\.engine_timeout_s\), one has not for \d+ s; committed parts stay, and a retry goes on after them",
        last,
    )
    assert _is_gone(int(first.removeprefix("child ")))
    agent = world.agent(settings)
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    summary = run_shard(tmp_path / "0", ONE_BY_ONE, engine, agent, Snapshot(tmp_path / "s"), 0, max_in_flight=1)
    assert (summary["users"], summary["resumed"]) == (4, 2)


def _is_gone(pid: int) -> bool:
    """Whether a process ends within ten seconds; one that nobody waits for stays as a zombie."""
    for _ in range(100):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    return False
