"""Upkeep of all tables: old dates go, files that nobody needs go, small files are put together.

- Param `day` (`YYYY-MM-DD`): the date that the run's files are kept under; without it, the run's logical date, else the
  last complete UTC day. What is kept counts from now (settings `retention`).
- Reads: the registry, run folders, run_manifest, table_status. Writes: commits to tables whose dates or files go.
- Safe to run again, and beside nights and backfills: versions that a registered model, an open run or a kept date
  refers to stay readable.
- By hand: `airflow dags trigger table_upkeep`; `recthinker maintain --dry-run` tells what it would do.
"""

from typing import Any

from airflow.sdk import CronTriggerTimetable, dag

from dags._jobs import dag_arguments, job_task, resolve_day
from recthinker.settings import load_settings

SETTINGS = load_settings()
CRON = SETTINGS.orchestration.upkeep_schedule


@dag(
    dag_id="table_upkeep",
    doc_md=__doc__,
    schedule=CronTriggerTimetable(CRON, timezone="UTC") if CRON else None,
    tags=["recthinker", "upkeep"],
    **dag_arguments(SETTINGS),
)
def table_upkeep() -> None:
    """The upkeep job alone."""
    day: Any = resolve_day()
    job_task("maintain_tables")(day)


table_upkeep()
