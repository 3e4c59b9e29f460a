"""Whole runs of the nightly DAG inside Airflow, with scripted jobs: small programs in the place of the package `jobs`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.utils.db import upgradedb

from tests.dags.conftest import DAGS

pytestmark = pytest.mark.slow  # migrates Airflow's database and runs its task loop

DAY = "1998-04-22"
JOB = """\
import json, os, pathlib, sys
name, (day, run_id) = {name!r}, (sys.argv[2], sys.argv[4])
with open("calls.jsonl", "a") as file:
    print(json.dumps([name, *sys.argv[1:]]), file=file)
run_dir = pathlib.Path("var/runs", day, run_id)
run_dir.mkdir(parents=True, exist_ok=True)
if name == "plan_inference":
    (run_dir / "inference_plan.json").write_text(json.dumps({{"shards": {shards}}}))
print(name, "done")
sys.exit({code} if "{failing}" == " ".join([name, *sys.argv[5:]]) else 0)
"""


@pytest.fixture(scope="module")
def nightly() -> DAG:
    upgradedb()
    return DagBag(DAGS).dags["nightly_recommendations"]


@pytest.fixture
def run_night(
    nightly: DAG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[str, list[list[str]]]]]:
    """Run the DAG in an empty folder; its final state and the jobs' command lines, in order."""
    monkeypatch.chdir(tmp_path)  # `python -m jobs.x` looks into the working directory first

    def run(
        shards: list[int], failing: str = "", code: int = 0, conf: dict[str, str] | None = None
    ) -> tuple[str, list[list[str]]]:
        (tmp_path / "jobs").mkdir()
        (tmp_path / "jobs" / "__init__.py").touch()
        for task in nightly.tasks:
            name = task.task_id.split(".")[-1]
            text = JOB.format(name=name, shards=shards, failing=failing, code=code)
            (tmp_path / "jobs" / f"{name}.py").write_text(text, encoding="utf-8")
        dag_run = nightly.test(logical_date=_midnight(DAY), run_conf=conf)
        calls = tmp_path / "calls.jsonl"
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.is_file() else []
        return str(dag_run.state), [json.loads(line) for line in lines]

    return run
