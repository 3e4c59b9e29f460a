"""One night for one logical date D: features, candidates, snapshot, the agent over all users, publish,
report.

- Param `day` (`YYYY-MM-DD`): D; without it, the run's logical date, else the last complete UTC day. A day
  that is not over yet fails.
- Reads: interactions, items, users, item_relations and the champion model, resolved once by `plan_inference`.
- Writes: partition D of the feature tables, candidates, trajectories, recommendations and run_manifest;
  snapshot D; the report; the MLflow run `night D`.
- Safe to run again: each partition is replaced in one commit; nothing is published unless every shard is
  there and all checks hold. To repeat a part, clear the failed task: shards that are done stay done.
- By hand: `airflow dags trigger nightly_recommendations --logical-date D`. A span of days, both ends
  included, where a schedule is set: `airflow backfill create --dag-id nightly_recommendations --from-date D1
  --to-date D2`.
"""

import json
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from dags._features import features
from dags._jobs import dag_arguments, job_task, resolve_day, run_id, run_job
from recthinker.settings import load_settings

SETTINGS = load_settings()
CRON = SETTINGS.orchestration.schedule


@task
def plan_inference(day: str) -> list[int]:
    """The shards of the night; which model and snapshot they read is fixed here, once."""
    run_job("plan_inference", day)
    plan = SETTINGS.paths.runs / day / run_id() / "inference_plan.json"
    shards: list[int] = json.loads(plan.read_text(encoding="utf-8"))["shards"]
    if not shards:
        # Mapping over nothing would skip the rest and call the night a success.
        raise AirflowFailException(f"{plan} plans no shard for {day}: no user has candidates")
    return shards


@task(pool=SETTINGS.orchestration.inference_pool, map_index_template="shard {{ shard_name }}")
def infer_shard(day: str, shard: int) -> str:
    """The agent over one shard of users."""
    context: Any = get_current_context()
    context["shard_name"] = shard  # read by map_index_template
    return run_job("infer_shard", day, "--shard", str(shard))


@dag(
    dag_id="nightly_recommendations",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable(CRON, timezone="UTC") if CRON else None,
    tags=["recthinker", "nightly"],
    **dag_arguments(SETTINGS),
)
def nightly_recommendations() -> None:
    """The night's tasks, in order."""
    day: Any = resolve_day()  # an XComArg here, a string inside the tasks
    shards = plan_inference(day)
    inferred = infer_shard.partial(day=day).expand(shard=shards)
    published = job_task("publish_recommendations")(day)

    features(day) >> job_task("build_candidates")(day) >> job_task("write_snapshot")(day) >> shards
    # All shards or nothing: publish waits until every one has succeeded.
    inferred >> published >> [job_task("write_report")(day), job_task("log_night")(day)]


nightly_recommendations()
