"""`recthinker nightly`: the night's jobs in the order of the DAG, one child process each, without Airflow."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from recthinker.cli.bars import job_bars
from recthinker.cli.children import run_job
from recthinker.settings import Settings

BEFORE_INFERENCE = ("build_features", "build_candidates", "write_snapshot", "plan_inference")
AFTER_INFERENCE = ("publish_recommendations", "write_report", "log_night")


def nightly(settings: Settings, ds: str, console: Console) -> None:
    """Run the night of `ds` and say where its results lie.

    Raises:
        JobError: a job failed; the jobs after it did not run.
    """
    run_id = new_run_id()
    run_dir = settings.paths.runs / ds / run_id
    common = ("--ds", ds, "--run-id", run_id)
    steps = len(BEFORE_INFERENCE) + len(AFTER_INFERENCE)
    with job_bars(console) as bars:
        bar = bars.progress.add_task("", total=steps, more="")

        def step(name: str, *arguments: str) -> None:
            bars.progress.update(bar, description=" ".join((name, *arguments)))
            log = log_file(settings, run_id)
            run_job(name, *common, *arguments, log=log, show=bars.show, tell=bars.tell)
            bars.progress.advance(bar)

        _run_steps(step, run_dir, lambda shards: bars.progress.update(bar, total=steps + shards))
    print_summary(settings, [run_dir], console)


def _run_steps(step: Callable[..., None], run_dir: Path, on_plan: Callable[[int], None]) -> None:
    for name in BEFORE_INFERENCE:
        step(name)
    shards = json.loads((run_dir / "inference_plan.json").read_text(encoding="utf-8"))["shards"]
    on_plan(len(shards))
    for shard in shards:
        step("infer_shard", "--shard", str(shard))
    for name in AFTER_INFERENCE:
        step(name)


def new_run_id() -> str:
    """A run id from the UTC time, so that runs of the same day do not share files."""
    return f"manual-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def log_file(settings: Settings, run_id: str) -> Path:
    """Where everything that the children of a run write is kept."""
    return settings.paths.logs / f"{run_id}.log"


def stage_table(run_dirs: list[Path]) -> Table:
    """What the jobs of the runs did and how long they took, in the order in which they ended."""
    stages = [json.loads(path.read_text("utf-8")) for folder in run_dirs for path in folder.glob("stages/*.json")]
    table = Table("stage", "seconds", Column("what it did", overflow="fold"), box=None, pad_edge=False)
    for stage in sorted(stages, key=lambda stage: float(stage["ended_at"])):
        table.add_row(stage["stage"], f"{stage['seconds']:.1f}", stage["summary"])
    return table


def print_summary(settings: Settings, run_dirs: list[Path], console: Console) -> None:
    """Seconds stage by stage, the table and the report; the last of `run_dirs` is the night itself."""
    console.print(stage_table(run_dirs))
    night = run_dirs[-1]
    console.out(f"table   {settings.paths.warehouse}/recommendations (ds={night.parent.name})")
    console.out(f"report  {night / 'report.html'}")
