"""Drills: the disk that a shard is written to is full, or has changed what was written."""

import os
import shlex
import shutil
import subprocess

from tests.benchmarks.agents.drilled import Drill, Rankings, compare
from tests.benchmarks.agents.shards import ShardOfRun, ShardWorld
from tests.benchmarks.processes import kill_tree


def full_disk(world: ShardWorld, untouched: Rankings, *, size_kib: int) -> Drill:
    """The run's shards lie on a file system that fills up, then grows."""
    drill, shard = Drill(f"a disk of {size_kib} KiB, then a larger one"), world.run("full-disk")
    shards, kept, first = shard.run_dir / "shards", shard.run_dir / "kept", shard.run_dir / "first.log"
    shards.mkdir()
    job = " ".join(map(shlex.quote, shard.command))
    script = f"""
        mount -t tmpfs -o size={size_kib}k tmpfs {shards}
        {job} > {first} 2>&1; echo $? > {shard.run_dir / "code"}
        ls -d {shards}/.0.parts/part-* | wc -l > {shard.run_dir / "parts"}; ls {shards} > {shard.run_dir / "seen"}
        mount -o remount,size=1g {shards}
        {job} > {shard.log} 2>&1
        cp -r {shards}/0 {kept}
    """
    # A user namespace of its own: the file system is the job's alone, and needs no rights.
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", script], env={**os.environ, **world.environment}, check=False)
    if done.returncode:
        return Drill(drill.done, said="left out: no user namespaces here")
    shutil.copytree(kept, shards / "0")
    drill.said = first.read_text("utf-8").splitlines()[-1]
    parts = int((shard.run_dir / "parts").read_text())
    if (shard.run_dir / "code").read_text().strip() == "0" or "No space left" not in drill.said:
        drill.faults.append(f"a full disk was not told: {drill.said}")
    if (shard.run_dir / "seen").read_text().strip():
        drill.faults.append("a shard that could not be written can be seen")
    if not parts or shard.summary()["resumed"] < parts:
        drill.faults.append(f"{parts} committed parts were not used")
    compare(drill, shard, untouched)
    return drill


def corrupt_part(world: ShardWorld, untouched: Rankings) -> Drill:
    """A byte of a committed part is another one when the job goes on."""
    drill, shard = Drill("a flipped byte in a committed part"), world.run("corrupt")
    whole = _killed_after(shard, parts=2)
    path = shard.committed()[0] / "trajectories.arrow"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged, _ = path.write_bytes(content), shard.finish()
    log = shard.log.read_text("utf-8")
    drill.said = next((line for line in log.splitlines() if "part dropped" in line), "")
    if not drill.said or not damaged:
        drill.faults.append("the damage was not told")
    if not 0 < whole - shard.summary()["resumed"] <= max(whole // 2, 1):
        drill.faults.append(f"{shard.summary()['resumed']} of {whole} finished users stood, not all but one part's")
    compare(drill, shard, untouched)
    return drill


def _killed_after(shard: ShardOfRun, *, parts: int) -> int:
    """Kill the job once so many parts are committed; the users in them."""
    job = shard.start()
    if not shard.wait_for_parts(parts, job):
        raise RuntimeError(f"the job ended before it had {parts} parts: {shard.last_line()}")
    kill_tree(job.pid)
    job.wait()
    return shard.committed_users()
