"""The way of a feature table's rows: written aside, read back for checks, taken into the table by one commit.

One commit replaces the rows of one date and nothing else, so that runs of different dates do not meet. Two runs of
the same date do: the commit carries a transaction (`<table>:<ds>`) whose number must follow the one that the run found
when it began, and the second run fails instead of mixing its rows with the first one's.
"""

import logging
import time
from collections.abc import Iterable

from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction
from pyarrow import fs
from pyspark.sql import DataFrame

from recthinker.errors import TableContractError
from recthinker.tables.arrow import Root, table_location
from recthinker.tables.contract import conform
from recthinker.tables.disk import require_free_disk
from recthinker.tables.scan import rows_of_files
from recthinker.tables.schemas import TABLES, Table
from recthinker.tables.staging import Staged, StagedFile, describe, open_location
from recthinker.tables.store import TableStore

logger = logging.getLogger(__name__)

ATTEMPTS = 30
"""Tries of a commit that other dates' commits keep crossing."""
WAIT_S = 0.05
"""Pause before the second try; each further one waits longer by as much."""
PARQUET_OPTIONS = {"compression": "zstd", "parquet.compression.codec.zstd.level": "1"}


def stage(store: TableStore, table: Table, df: DataFrame, *, ds: str, run: str) -> Staged:
    """Compute `df` and write it aside, sorted by key within each file.

    Args:
        store: where the table lies.
        table: its contract; partitioned by `ds` alone.
        df: the contract's columns.
        ds: logical date.
        run: name of this attempt; no other may have used it for this date.

    Raises:
        TableContractError: `df` has not the contract's columns and types.
        ConfigError: too little free disk.
    """
    require_free_disk(store.root, table)
    rows = conform(table, df).drop("ds").sortWithinPartitions(*table.key[1:])
    folder = f"ds={ds}/{run}-{time.time_ns():x}"
    root = store.path(table)
    rows.write.options(**PARQUET_OPTIONS).parquet(f"{root}/{folder}")
    files = [describe(root, f"{folder}/{name}", {"ds": ds}) for name in _parquet_files(f"{root}/{folder}")]
    return Staged(table.name, ds, tuple(file for file in files if file.rows))


def staged_frame(store: TableStore, staged: Staged, *, new_only: bool = False) -> DataFrame:
    """The rows that were written aside, with the contract's columns; or those that were not carried on alone."""
    table = TABLES[staged.table]
    paths = [file.path for file in staged.files if not (new_only and file.is_carried)]
    return rows_of_files(store.spark, table, store.path(table), paths)


def published_version(root: Root, table: Table, ds: str) -> int:
    """How often the rows of `ds` were replaced by `publish`: what a run remembers from its beginning; 0: never."""
    location = table_location(root, table)
    if not DeltaTable.is_deltatable(location):
        return 0
    return DeltaTable(location).transaction_version(_transaction(table, ds)) or 0


def publish(store: TableStore, staged: Staged, *, run_id: str, after: int) -> int:
    """Take the staged files into the table, in the place of the date's rows; the version of the commit.

    Args:
        store: where the table lies.
        staged: the rows, checked.
        run_id: recorded in the commit.
        after: `published_version` as it was when this run began.

    Raises:
        TableContractError: another run published the same date since then; its rows stay.
    """
    table = TABLES[staged.table]
    store.create(table)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            version = _commit(store.path(table), table, staged, run_id=run_id, after=after)
        except (CommitFailedError, DeltaError) as error:
            if published_version(store.root, table, staged.ds) != after:
                raise _met_another(table, staged.ds) from error
            # Upkeep, or a run of another date, removed files meanwhile: not those of this date.
            if attempt == ATTEMPTS or not isinstance(error, CommitFailedError):
                raise
            time.sleep(WAIT_S * attempt)
        else:
            break
    logger.info("published table=%s ds=%s version=%d rows=%d", table.name, staged.ds, version, staged.rows)
    return version


def _commit(path: str, table: Table, staged: Staged, *, run_id: str, after: int) -> int:
    """One try of the commit that `publish` makes; its version."""
    # The table as it is read here is what the commit builds on: whatever lands after this line is a conflict.
    delta = DeltaTable(path)
    if (delta.transaction_version(_transaction(table, staged.ds)) or 0) != after:
        raise _met_another(table, staged.ds)
    now = time.time_ns() // 1_000_000
    properties = CommitProperties(
        custom_metadata={"userMetadata": run_id},
        app_transactions=[Transaction(_transaction(table, staged.ds), after + 1, now)],
    )
    delta.create_write_transaction(
        [_add(file, now) for file in staged.files],
        "overwrite",
        delta.schema(),
        partition_by=list(table.partition_by),
        partition_filters=[("ds", "=", staged.ds)],
        commit_properties=properties,
    )
    return DeltaTable(path).version()


def discard(store: TableStore, staged: Iterable[Staged]) -> None:
    """Remove files that were written aside and will not be published."""
    for table in staged:
        filesystem, root = open_location(store.path(TABLES[table.table]))
        for folder in {file.path.rsplit("/", 1)[0] for file in table.files}:
            filesystem.delete_dir(f"{root}/{folder}")


def _transaction(table: Table, ds: str) -> str:
    return f"recthinker:{table.name}:{ds}"


def _met_another(table: Table, ds: str) -> TableContractError:
    return TableContractError(
        f"table {table.name}, ds {ds}: another run published this date while this one was building it; its rows stay. "
        "Run one build of a date at a time, then this one again if it is still needed"
    )


def _add(file: StagedFile, now: int) -> AddAction:
    return AddAction(file.path, file.size, dict(file.partition), now, data_change=True, stats=file.stats)


def _parquet_files(folder: str) -> list[str]:
    filesystem, path = open_location(folder)
    found = filesystem.get_file_info(fs.FileSelector(path))
    return sorted(file.base_name for file in found if file.base_name.endswith(".parquet"))
