"""A Spark standalone cluster of this machine's own: a master and workers of 1 core on 127.0.0.1, at free ports."""

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pyspark

from tests.benchmarks.processes import kill_tree, start

HOST = "127.0.0.1"
START_S = 180
SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    master: str
    """`spark://host:port`."""
    page: str
    """The master's page."""
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        """What the master's page tells, as JSON."""
        return dict(read_json(f"{self.page}/json/"))

    def alive_workers(self) -> int:
        """Workers that have registered and were heard of lately."""
        return sum(worker["state"] == "ALIVE" for worker in self.state()["workers"])

    def kill_worker_of(self, executor: str) -> None:
        """SIGKILL the worker that runs an executor, and the executor with it.

        Raises:
            LookupError: no worker runs it.
        """
        for worker in self.workers:
            commands = (_command(child) for child in psutil.Process(worker.pid).children(recursive=True))
            if any(("--executor-id", executor) in pairwise(words) for words in commands):
                kill_tree(worker.pid)
                worker.wait()
                return
        raise LookupError(f"no worker runs executor {executor}")


def _command(process: psutil.Process) -> list[str]:
    """How a process was called; nothing of one that has just ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie is one of these
        return []


@contextmanager
def spark_cluster(folder: Path, *, workers: int = 2, memory: str = "1g") -> Iterator[Cluster]:
    """A cluster that ends with the context; logs and work files go to `folder`.

    Raises:
        TimeoutError: it did not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, page_port = free_port(), free_port()
    cluster = Cluster(f"spark://{HOST}:{port}", f"http://{HOST}:{page_port}")
    ports = ("--port", str(port), "--webui-port", str(page_port))
    master = _spark_class(folder / "master.log", "master.Master", "--host", HOST, *ports)
    try:
        wait_for(lambda: cluster.state()["status"] == "ALIVE", "the master")
        size = ("--cores", "1", "--memory", memory, "--host", HOST, "--webui-port", "0")
        for number in range(workers):
            work = folder / f"worker-{number}"
            place = ("--work-dir", str(work), cluster.master)
            cluster.workers.append(_spark_class(work.with_suffix(".log"), "worker.Worker", *size, *place))
        wait_for(lambda: cluster.alive_workers() == workers, f"{workers} workers")
        yield cluster
    finally:
        for process in (*cluster.workers, master):
            kill_tree(process.pid)
            process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def read_json(url: str) -> Any:
    """What `url` answers.

    Raises:
        OSError: nothing answers yet.
        ValueError: what answers is no JSON; a page of Spark's that is still starting says so in words.
    """
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def wait_for(is_so: Callable[[], bool], what: str, *, seconds: float = START_S) -> None:
    """Ask until it is so; an address that does not answer, or not yet in JSON, counts as not yet.

    Raises:
        TimeoutError: it was not so in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if is_so():
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    raise TimeoutError(f"waited {seconds:.0f} s for {what}")


def _spark_class(log: Path, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
    environment = {"SPARK_LOCAL_IP": HOST, "SPARK_DAEMON_MEMORY": "256m"}
    return start([SPARK_CLASS, f"org.apache.spark.deploy.{name}", *arguments], log, environment)
