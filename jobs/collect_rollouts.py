"""Collect rollouts for a retraining: several episodes of each request of the training cut, good and bad.

Reads: retrain_plan.json of the run, its base model, the training cut of D (`python -m jobs.build_features --ds D --cut
holdout_last:11 --with-candidates`), the champion's folder. Writes: <run_dir>/retrain/collect/ and the run's rows of
table rollouts, one commit. Safe to run again: what is done is left alone, and the run's rows are replaced.
Run: python -m jobs.collect_rollouts --ds D --run-id R
"""

import json
import time
from dataclasses import replace

from jobs._cli import Job, main
from recthinker.inference import BatchProgress
from recthinker.tables.schemas import ROLLOUTS
from recthinker.tables.spark import spark_session
from recthinker.tables.store import TableStore
from recthinker.training.collect import EPISODES_FILE, ROLLOUTS_FILE, STAGE, collect
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import stage_folder, why_not
from recthinker.training.tracking import log_episodes, log_result

PROGRESS_EVERY_S = 2.0


def run(job: Job) -> str:
    """Collect rollouts for a retraining."""
    plan = RetrainPlan.read(job.run_dir)
    if why := why_not(plan, job.run_dir, STAGE):
        return why
    settings, folder = plan.apply(job.settings), stage_folder(job.run_dir, STAGE)
    result = collect(plan, settings, run_dir=job.run_dir, on_progress=_Reporter())
    store = TableStore(settings.paths.warehouse, spark_session(settings.spark, "collect_rollouts"))
    rows = store.spark.read.parquet(str(folder / ROLLOUTS_FILE))
    of_run = f"ds = '{plan.ds}' and run_id = '{plan.run_id}'"
    written = store.replace(ROLLOUTS, rows, where=of_run, run_id=plan.run_id)
    result = replace(result, params={**result.params, "rollouts_version": written.version})
    result.write(folder)
    episodes = json.loads((folder / EPISODES_FILE).read_text(encoding="utf-8"))
    log_episodes(settings, log_result(settings, plan, result), episodes)
    return f"{result.summary}, table {written.table} version {written.version}"


class _Reporter:
    """A progress line every two seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PROGRESS_EVERY_S

    def __call__(self, progress: BatchProgress) -> None:
        now = time.monotonic()
        if now >= self._next or progress.done == progress.total:
            self._next = now + PROGRESS_EVERY_S
            print(progress.line(STAGE), flush=True)


if __name__ == "__main__":
    main("collect_rollouts", run)
