"""Drills: the shard's job is killed, or the process of its engine."""

import os
import random
import signal
import subprocess

import psutil

from tests.benchmarks.agents.drilled import Drill, Rankings, compare
from tests.benchmarks.agents.shards import ShardWorld
from tests.benchmarks.processes import kill_tree

LONGEST_LIFE_S = 4.0
"""A killed job has worked on episodes for at most this long."""
ENGINE_DIES_WITHIN_S = 60
"""A job whose engine is gone must have ended by then."""
CORE = "EngineCore"
"""In the name of vLLM's engine process."""


def killed(world: ShardWorld, untouched: Rankings, *, kills: int, rng: random.Random) -> Drill:
    """SIGKILL at random moments, each job going on where the one before was killed; a new run where one ended."""
    drill, lives, left = Drill(f"SIGKILL at {kills} random moments"), 0, kills
    while left:
        shard, begun = world.run(f"killed-{lives}"), 0
        lives += 1
        while left:
            job = shard.start()
            if not shard.wait_for_parts(begun + 1, job):
                break
            try:
                job.wait(rng.uniform(0, LONGEST_LIFE_S))
                break
            except subprocess.TimeoutExpired:
                kill_tree(job.pid)
                job.wait()
            left -= 1
            begun = len(shard.committed())
        compare(drill, shard, untouched)
    drill.said = f"{lives} runs, the last went on after {shard.summary()['resumed']} finished users"
    return drill


def killed_engine(world: ShardWorld, untouched: Rankings) -> Drill:
    """The engine's own process is killed while episodes run."""
    drill, shard = Drill("SIGKILL of the engine's process"), world.run("engine")
    job = shard.start(RECTHINKER__INFERENCE__ENGINE_PROCESS="true")
    if not shard.wait_for_parts(1, job):
        return Drill(drill.done, faults=[f"the job ended before it had a part: {shard.last_line()}"])
    for child in psutil.Process(job.pid).children(recursive=True):
        if CORE in child.name() or CORE in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)
    try:
        code = job.wait(ENGINE_DIES_WITHIN_S)
    except subprocess.TimeoutExpired:
        kill_tree(job.pid)
        return Drill(drill.done, faults=[f"the job was still waiting after {ENGINE_DIES_WITHIN_S} s"])
    drill.said, committed = shard.last_line(), shard.committed_users()
    if code == 0 or "EngineError" not in drill.said or not committed:
        drill.faults.append(f"exit code {code} with {committed} users committed: {drill.said}")
    shard.finish()
    drill.repeated = committed - shard.summary()["resumed"]
    compare(drill, shard, untouched)
    return drill
