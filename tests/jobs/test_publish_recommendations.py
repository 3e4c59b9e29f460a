"""The publish job on Delta tables: three tables of one night, and what a refused night leaves."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobs import publish_recommendations as job_module
from jobs._cli import Job
from recthinker.errors import TableContractError
from recthinker.settings import Settings
from recthinker.tables.arrow import commits, read_arrow
from recthinker.tables.create import create_table
from recthinker.tables.migrations import migrate
from recthinker.tables.schemas import RECOMMENDATIONS, RUN_MANIFEST, TRAJECTORIES, USER_HISTORY, Table
from recthinker.tables.spark import spark_schema
from recthinker.tables.store import TableStore
from tests.inference.night import DS, RUN_ID, edit_rows, write_night

pytestmark = pytest.mark.spark


@pytest.fixture
def job(settings: Settings, store: TableStore) -> Job:
    """A night of three users, each of whom has seen item z."""
    agent = settings.agent.model_copy(update={"publish_top_n": 2})
    job = Job(settings.model_copy(update={"agent": agent}), None, DS, RUN_ID)  # type: ignore[arg-type]  # no args
    write_night(job.run_dir, {0: ["u1", "u2"], 1: ["u3"]})
    event = {
        "item_id": "z",
        "event_time": datetime(1998, 1, 1, tzinfo=UTC),
        "event_type": "view",
        "rating": None,
    }
    rows = [{"ds": DS, "user_id": user, "events": [event]} for user in ("u1", "u2", "u3")]
    frame = store.spark.createDataFrame(rows, spark_schema(USER_HISTORY))
    store.write_ds(USER_HISTORY, frame, ds=DS, run_id="features")
    return job


def read(job: Job, table: Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_arrow(job.settings.paths.warehouse, table, ds=DS).to_pylist()
    return rows


def test_publish_writes_the_three_tables(job: Job) -> None:
    assert job_module.run(job).startswith("3 users (3 ranked), 6 rows")
    lists = {(row["user_id"], row["rank"]): row["item_id"] for row in read(job, RECOMMENDATIONS)}
    assert lists == {(user, rank): "ab"[rank - 1] for user in ("u1", "u2", "u3") for rank in (1, 2)}
    assert {row["user_id"] for row in read(job, TRAJECTORIES)} == {"u1", "u2", "u3"}
    [manifest] = read(job, RUN_MANIFEST)
    assert (manifest["run_id"], manifest["users"], manifest["outcomes"]) == (RUN_ID, 3, [("ranked", 3)])
    assert dict(manifest["row_counts"]) == {"trajectories": 3, "recommendations": 6}
    assert dict(manifest["metrics"])["tokens.generated"] == 3


def test_manifest_that_lacks_a_migration_refuses_the_night_before_any_commit(job: Job) -> None:
    columns = tuple(column for column in RUN_MANIFEST.columns if column.name != "metrics")
    create_table(job.settings.paths.warehouse, replace(RUN_MANIFEST, columns=columns))
    with pytest.raises(TableContractError, match=r"run_manifest .*missing: metrics.*`recthinker migrate`"):
        job_module.run(job)
    assert commits(job.settings.paths.warehouse, RECOMMENDATIONS) == []
    migrate([job.settings.paths.warehouse])
    job_module.run(job)
    assert len(read(job, RUN_MANIFEST)) == 1


def test_publish_again_leaves_the_same_rows(job: Job) -> None:
    job_module.run(job)
    before = read(job, RECOMMENDATIONS), read(job, TRAJECTORIES)
    job_module.run(job)
    assert (read(job, RECOMMENDATIONS), read(job, TRAJECTORIES)) == before
    assert len(read(job, RUN_MANIFEST)) == 1


def test_item_of_the_history_is_refused_and_tables_stay(job: Job) -> None:
    job_module.run(job)
    tables = (TRAJECTORIES, RECOMMENDATIONS, RUN_MANIFEST)
    before = [len(commits(job.settings.paths.warehouse, table)) for table in tables]
    edit_rows(job.run_dir, 1, RECOMMENDATIONS, lambda rows: [rows[0], {**rows[1], "item_id": "z"}])
    with pytest.raises(TableContractError, match=r"1 rows offer an item of the user's own history.*u3"):
        job_module.run(job)
    assert [len(commits(job.settings.paths.warehouse, table)) for table in tables] == before


def test_missing_shard_publishes_nothing(job: Job) -> None:
    Path(job.run_dir / "shards/1/trajectories.parquet").unlink()
    with pytest.raises(TableContractError, match="planned shard 1 is missing"):
        job_module.run(job)
    assert commits(job.settings.paths.warehouse, RECOMMENDATIONS) == []
