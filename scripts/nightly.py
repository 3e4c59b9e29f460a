"""`make nightly`: the demo data into the tables, a first model if there is none, the nightly DAG for the
demo's date.

Usage: python scripts/nightly.py [SECONDS_SINCE_EPOCH], the moment that the total time is counted from.
"""

import sys
import time
from pathlib import Path

from rich.console import Console

from recthinker.cli.bars import JobBars, job_bars
from recthinker.cli.children import run_child, run_job
from recthinker.cli.nightly import log_file, new_run_id, print_summary
from recthinker.errors import RecThinkerError
from recthinker.registry import Registry
from recthinker.settings import Settings, load_settings

DAG_ID = "nightly_recommendations"
DEMO_DATA = Path("recbole", "recbole", "dataset_example", "ml-100k")
MODEL_HOLDOUT = 1


def main() -> int:
    """0 when the night was published."""
    started_at = float(sys.argv[1]) if len(sys.argv) > 1 else time.time()
    console = Console(soft_wrap=True, highlight=False)

    def show(text: str) -> None:
        console.out(f"[{time.time() - started_at:4.0f} s] {text}", highlight=False)

    try:
        settings = load_settings()
        with job_bars(console, show) as bars:
            run_dirs = _run(settings, bars)
    except RecThinkerError as error:
        console.out(f"make nightly stopped: {error}", highlight=False)
        return 1
    print_summary(settings, run_dirs, console)
    console.out(f"total   {time.time() - started_at:.0f} s", highlight=False)
    return 0


def _run(settings: Settings, bars: JobBars) -> list[Path]:
    """The folders of the runs: what came before the night, and the night."""
    day, run_id = str(settings.demo.ds), new_run_id()
    log = log_file(settings, run_id)

    def step(name: str, *arguments: str) -> None:
        run_job(name, "--ds", day, "--run-id", run_id, *arguments, log=log, show=bars.show, tell=bars.tell)

    bars.show(f"logical date {day}; all that the steps write is in {log}")
    step("ingest", "--source", "movielens", "--path", str(settings.paths.data / DEMO_DATA))
    if settings.model.path is None and Registry(settings).champion() is None:
        bars.show("no model serves yet: training the first one")
        cuts = [f"--cut=holdout_last:{n}" for n in (settings.training.holdout_last, MODEL_HOLDOUT)]
        step("build_features", *cuts, "--with-candidates")
        step("train_first_model")
    bars.show(f"{DAG_ID}: starting Airflow")
    dag = [sys.executable, "scripts/run_dag.py", DAG_ID, day]
    run_child(dag, label=DAG_ID, log=log, show=bars.show, tell=bars.tell)
    nights = (settings.paths.runs / day).glob("*/inference_plan.json")
    night = max(nights, key=lambda plan: plan.stat().st_mtime).parent
    return [night.with_name(run_id), night]


if __name__ == "__main__":
    sys.exit(main())
