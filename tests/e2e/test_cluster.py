"""The feature build on a Spark standalone cluster: a worker dies midway, and the tables are those of one core."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest

from recthinker.tables.jars import JARS, default_jars_dir
from tests.benchmarks.generate import write_world
from tests.benchmarks.processes import kill_tree, python, start
from tests.benchmarks.same_rows import differences
from tests.benchmarks.spark_cluster import HOST, Cluster, free_port, read_json, spark_cluster, wait_for
from tests.benchmarks.world import World

pytestmark = [pytest.mark.e2e, pytest.mark.spark, pytest.mark.slow]

WORLD = World(events=4_000, users=150, items=100, days=20)
DS = WORLD.last_day.isoformat()
BUILD = ("--ds", DS, "--run-id", "cluster")
TIMEOUT_S = 600
WHERE_IS_THE_PACKAGE = """
from recthinker.settings import load_settings
from recthinker.tables.spark import spark_session

def find(rows):
    import recthinker
    yield recthinker.__file__

spark = spark_session(load_settings().spark, "where")
print("package:", spark.sparkContext.parallelize([0], 1).mapPartitions(find).collect()[0])
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with spark_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def on_one_core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `var` with tables that local[1] built."""
    var = landed(tmp_path_factory.mktemp("one-core"))
    job = start(python("jobs.build_features", *BUILD), var / "log", environment(var))
    assert job.wait(TIMEOUT_S) == 0, (var / "log").read_text()
    return var


def landed(var: Path) -> Path:
    write_world(var / "warehouse", WORLD)
    return var


def environment(var: Path, **settings: str) -> dict[str, str]:
    upper = {f"RECTHINKER__{name.upper()}": value for name, value in settings.items()}
    return {"RECTHINKER_ENV": "test", "RECTHINKER__PATHS__VAR": str(var), **upper}


def on_cluster(var: Path, cluster: Cluster, *, ui_port: int = 0) -> dict[str, str]:
    page = f"spark.ui.enabled: 'true', spark.ui.port: '{ui_port}'" if ui_port else ""
    return environment(
        var,
        spark__master=cluster.master,
        spark__executor_memory="640m",
        spark__shuffle_partitions="4",
        spark__conf=f"{{spark.driver.host: {HOST}, spark.driver.bindAddress: {HOST}, {page}}}",
    )


def busy_executor(page: str) -> str:
    """An executor with a task at work whose earlier tasks left shuffle files, which the build still needs; or none."""
    [application] = read_json(f"{page}/api/v1/applications")
    for executor in read_json(f"{page}/api/v1/applications/{application['id']}/executors"):
        if executor["id"] != "driver" and executor["activeTasks"] and executor["totalShuffleWrite"]:
            return str(executor["id"])
    return ""


def test_executors_import_the_code_that_the_session_sends(cluster: Cluster, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHERE_IS_THE_PACKAGE],
        env={**os.environ, **on_cluster(tmp_path, cluster)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    assert ".zip/recthinker/__init__.py" in done.stdout


def test_spark_submit_decides_on_the_master(on_one_core: Path, cluster: Cluster, tmp_path: Path) -> None:
    """The command of docs/cluster.md; the settings name a master that does not exist."""
    var, jars = landed(tmp_path), ",".join(str(default_jars_dir() / name) for name in sorted(JARS))
    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    options = ["--conf", f"spark.driver.host={HOST}", "--conf", "spark.executor.memory=640m", "--jars", jars]
    done = subprocess.run(
        [submit, "--master", cluster.master, *options, "jobs/build_features.py", *BUILD],
        env={**os.environ, **environment(var, spark__master="spark://nowhere:1"), "PYTHONPATH": "."}
        | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": HOST},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(differences(var / "warehouse", on_one_core / "warehouse")) == []


def test_a_build_survives_the_death_of_a_worker(on_one_core: Path, cluster: Cluster, tmp_path: Path) -> None:
    """Last, because it leaves the cluster with one worker."""
    var, ui_port = landed(tmp_path), free_port()
    job = start(python("jobs.build_features", *BUILD), var / "log", on_cluster(var, cluster, ui_port=ui_port))
    chosen: list[str] = []

    def is_busy() -> bool:
        assert job.poll() is None, f"ended before a worker could be killed: {(var / 'log').read_text()}"
        chosen[:] = [busy_executor(f"http://{HOST}:{ui_port}")]
        return bool(chosen[0])

    try:
        wait_for(is_busy, "a busy executor")
        cluster.kill_worker_of(chosen[0])
        assert job.wait(TIMEOUT_S) == 0, (var / "log").read_text()
    finally:
        kill_tree(job.pid)
    assert list(differences(var / "warehouse", on_one_core / "warehouse")) == []
    assert cluster.alive_workers() == 1
