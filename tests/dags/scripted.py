"""Scripted jobs: small programs in the place of the package `jobs`, which tell how they were called."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

DAY = "1998-04-22"
JOB = """\
import json, pathlib, sys
name = {name!r}
with open("calls.jsonl", "a") as file:
    print(json.dumps([name, *sys.argv[1:]]), file=file)
run_dir = pathlib.Path("var/runs", sys.argv[2], sys.argv[4])
for path, content in {leaves!r}.items():
    (run_dir / path).parent.mkdir(parents=True, exist_ok=True)
    (run_dir / path).write_text(json.dumps(content))
print(name, "done")
sys.exit({code} if {failing!r} == " ".join([name, *sys.argv[5:]]) else 0)
"""


def write_jobs(
    folder: Path, names: set[str], leaves: Mapping[str, Mapping[str, Any]], failing: str = "", code: int = 1
) -> None:
    """Write the jobs.

    Args:
        folder: working directory of the run: `python -m jobs.x` looks there first.
        names: of the jobs.
        leaves: by job, the JSON files that it leaves in its run's folder.
        failing: the job that fails, with its arguments after day and run.
        code: its exit code.
    """
    (folder / "jobs").mkdir()
    (folder / "jobs" / "__init__.py").touch()
    for name in names:
        text = JOB.format(name=name, leaves=leaves.get(name, {}), failing=failing, code=code)
        (folder / "jobs" / f"{name}.py").write_text(text, encoding="utf-8")


def run_dag(dag: DAG, folder: Path, conf: Mapping[str, Any] | None = None) -> tuple[str, list[list[str]]]:
    """Run the DAG for `DAY` in this process; its final state and the jobs' command lines, in order."""
    dag_run = dag.test(logical_date=datetime.fromisoformat(f"{DAY}T00:00:00+00:00"), run_conf=dict(conf or {}))
    calls = folder / "calls.jsonl"
    lines = calls.read_text(encoding="utf-8").splitlines() if calls.is_file() else []
    return str(dag_run.state), [json.loads(line) for line in lines]
