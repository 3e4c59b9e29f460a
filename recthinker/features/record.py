"""What is recorded of a table when it has been published."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pyspark.sql import DataFrame

from recthinker.features.known import end_of
from recthinker.features.landing import Counts
from recthinker.tables import schemas
from recthinker.tables.checks import CheckResult, passed_checks, told_warnings
from recthinker.tables.staging import Staged
from recthinker.tables.status import TableStatus
from recthinker.tables.store import TableStore


def made_status(
    staged: Staged,
    *,
    run_id: str,
    definition: str,
    inputs: Mapping[str, int],
    version: int,
    seconds: float,
    base_ds: str | None = None,
    counts: Counts | None = None,
    results: Sequence[CheckResult] | None = None,
) -> TableStatus:
    """The record of a table whose rows were published just now.

    Args:
        staged: the rows.
        run_id: run that made them.
        definition: their fingerprint.
        inputs: version by table that was read.
        version: of the commit.
        seconds: wall time.
        base_ds: date that they were built on; None: from scratch.
        counts: of the events; None: the table reads none.
        results: of the audit; None: there was none.
    """
    now = datetime.now(UTC)
    return TableStatus(
        ds=staged.ds,
        table=staged.table,
        run_id=run_id,
        built_at=now,
        hours_late=(now - end_of(staged.ds)).total_seconds() / 3600,
        built="full" if base_ds is None else "incremental",
        base_ds=base_ds,
        definition=definition,
        inputs=dict(inputs),
        version=version,
        rows=staged.rows,
        events=counts.events if counts else None,
        late_events=counts.late if counts else None,
        newest_event=counts.newest if counts else None,
        seconds=seconds,
        checks=None if results is None else passed_checks(results, staged.table),
        warnings=told_warnings(results or (), staged.table),
    )


def recorded_before(store: TableStore, ds: str) -> DataFrame:
    """The rows of `table_status` of dates before `ds`."""
    store.create(schemas.TABLE_STATUS)
    recorded = store.read(schemas.TABLE_STATUS)
    return recorded.where(recorded["ds"] < ds)
