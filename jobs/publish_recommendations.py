"""Publishes the night: shard files of the run, checked, into trajectories, recommendations and run_manifest
of D.

Reads: inference_plan.json and shards/ of the run, user_history of D. Writes: partition D of the three tables,
one commit each; that of recommendations is the publish, the manifest comes last. Safe to run again: the
partitions are replaced. A failed check leaves all tables as they were.
Run: python -m jobs.publish_recommendations --ds D --run-id R
"""

import json
from datetime import UTC, datetime
from typing import Any

from jobs._cli import Job, main
from recthinker.errors import TableContractError
from recthinker.inference.publish import Night, check_night
from recthinker.tables.contract import check_rows, conform, sample
from recthinker.tables.schemas import RECOMMENDATIONS, RUN_MANIFEST, TRAJECTORIES, USER_HISTORY
from recthinker.tables.spark import spark_schema, spark_session
from recthinker.tables.store import TableStore

FROM_PUBLISH_ON = ("publish_recommendations", "write_report", "log_night")
"""Stages that are still to come; files of theirs tell of an earlier publish of the run."""


def run(job: Job) -> str:
    """Check the shards of a run and publish them."""
    settings = job.settings
    night = check_night(
        job.run_dir,
        ds=job.ds,
        run_id=job.run_id,
        top_n=settings.agent.publish_top_n,
        max_failed_share=settings.inference.max_failed_share,
    )
    store = TableStore(settings.paths.warehouse, spark_session(settings.spark, "publish_recommendations"))
    frames = {
        table: conform(table, store.spark.read.parquet(*night.files(table)))
        for table in (TRAJECTORIES, RECOMMENDATIONS)
    }
    # All checks before the first commit: a store checks again, but each table by itself.
    for table in (RUN_MANIFEST, *frames):
        store.create(table)
    for table, rows in frames.items():
        check_rows(table, rows, ds=job.ds)
    _require_unseen(frames[RECOMMENDATIONS], store, night, job.ds)
    written = {table.name: store.write_ds(table, rows, ds=job.ds, run_id=job.run_id) for table, rows in frames.items()}
    manifest = _manifest(job, night, {name: table.rows for name, table in written.items()})
    manifest_rows = store.spark.createDataFrame([manifest], spark_schema(RUN_MANIFEST))
    store.write_ds(RUN_MANIFEST, manifest_rows, ds=job.ds, run_id=job.run_id)
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(night.outcomes.items()))
    version = written["recommendations"].version
    return f"{night.users} users ({outcomes}), {night.recommendations} rows, recommendations version {version}"


def _require_unseen(lists: Any, store: TableStore, night: Night, ds: str) -> None:
    """No user is offered an item of their own history."""
    version = night.plan.table_versions.get(USER_HISTORY.name)
    history = store.read(USER_HISTORY, ds=ds, version=version)
    had = history.selectExpr("user_id", "explode(events.item_id) as item_id")
    seen = lists.join(had, ["user_id", "item_id"], "left_semi").select("user_id", "rank", "item_id")
    count = seen.count()
    if count:
        raise TableContractError(
            f"table recommendations, ds {ds}: {count} rows offer an item of the user's own history, such as "
            f"{sample(seen)}; nothing is published. Build the candidates and the snapshot of {ds} again"
        )


def _manifest(job: Job, night: Night, row_counts: dict[str, int]) -> dict[str, Any]:
    files = [path for path in job.run_dir.glob("stages/*.json") if path.stem not in FROM_PUBLISH_ON]
    stages = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    return {
        "ds": job.ds,
        "run_id": job.run_id,
        "model_version": night.plan.model_version,
        "prompt_version": night.plan.prompt_version,
        "users": night.users,
        "outcomes": dict(night.outcomes),
        "row_counts": row_counts,
        "table_versions": dict(night.plan.table_versions),
        "seconds": {stage["stage"]: float(stage["seconds"]) for stage in stages},
        "published_at": datetime.now(UTC),
        "metrics": dict(night.metrics),
    }


if __name__ == "__main__":
    main("publish_recommendations", run)
