"""A night without Airflow: the jobs' order and ids, with scripted jobs in the place of the package `jobs`."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from recthinker.cli.nightly import nightly
from recthinker.errors import JobError
from recthinker.settings import Settings

NAMES = (
    "build_features",
    "build_candidates",
    "write_snapshot",
    "plan_inference",
    "infer_shard",
    "publish_recommendations",
    "write_report",
    "log_night",
)
JOB = """\
import json, pathlib, sys, time
with open("calls.jsonl", "a") as file:
    print(json.dumps(["{name}", *sys.argv[1:]]), file=file)
run_dir = pathlib.Path("var/runs", sys.argv[2], sys.argv[4])
(run_dir / "stages").mkdir(parents=True, exist_ok=True)
(run_dir / "inference_plan.json").write_text('{{"shards": [0, 1]}}')
stage = {{"stage": "{name}", "seconds": 1.5, "summary": "went well", "ended_at": time.time()}}
(run_dir / "stages" / "{name}.json").write_text(json.dumps(stage))
if "--shard" in sys.argv:
    print("shard " + sys.argv[-1] + ": 5/9 users, 2.0 users/s")
sys.exit("{name} failed: no luck" if "{name}" == "{failing}" else 0)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # `python -m jobs.x` looks into the working directory first
    write_jobs(tmp_path)
    return tmp_path


def write_jobs(folder: Path, failing: str = "") -> None:
    (folder / "jobs").mkdir(exist_ok=True)
    (folder / "jobs" / "__init__.py").touch()
    for name in NAMES:
        text = JOB.format(name=name, failing=failing)
        (folder / "jobs" / f"{name}.py").write_text(text, encoding="utf-8")


def calls(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()]


def test_night_runs_the_jobs_in_order_for_one_run(folder: Path, settings: Settings) -> None:
    console = Console(record=True, width=200)
    nightly(settings, "1998-04-22", console)
    made = calls(folder)
    assert [call[0] for call in made] == [*NAMES[:4], "infer_shard", "infer_shard", *NAMES[5:]]
    assert [call[5:] for call in made if call[0] == "infer_shard"] == [["--shard", "0"], ["--shard", "1"]]
    assert {tuple(call[1:4]) for call in made} == {("--ds", "1998-04-22", "--run-id")}
    assert len({call[4] for call in made}) == 1
    text = console.export_text()
    assert "warehouse/recommendations (ds=1998-04-22)" in text
    assert "report.html" in text
    assert text.count("went well") == len(NAMES)
    assert "infer_shard 1: shard 1: 5/9 users, 2.0 users/s" in text


def test_failed_job_ends_the_night(folder: Path, settings: Settings) -> None:
    write_jobs(folder, failing="write_snapshot")
    with pytest.raises(JobError, match="no luck"):
        nightly(settings, "1998-04-22", Console())
    assert [call[0] for call in calls(folder)] == list(NAMES[:3])
