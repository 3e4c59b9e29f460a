"""Reading and writing Delta tables with Spark, contract checked before each commit.

A write is one atomic commit or nothing: rows are computed once, checked, then written, and the old rows stay
when anything fails. The commit's `userMetadata` is the run id.
"""

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import pyarrow.compute as pc
from delta.tables import DeltaTable
from deltalake import CommitProperties, write_deltalake
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from recthinker.tables.arrow import Root, open_table, require_ds, table_location, table_version
from recthinker.tables.contract import check_rows, conform, constraints_kept
from recthinker.tables.create import create_table, require_columns
from recthinker.tables.disk import require_free_disk
from recthinker.tables.scan import scan
from recthinker.tables.schemas import Table

logger = logging.getLogger(__name__)

ROWS_PER_FILE = 1_000_000
USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"


@dataclass(frozen=True, slots=True)
class Written:
    """What a write left."""

    table: str
    version: int
    """Delta version of the commit."""
    rows: int
    """Rows given."""
    seconds: float
    """Wall time, computing the rows included."""


class TableStore:
    """The tables under one folder (the warehouse, or that of a training cut)."""

    def __init__(self, root: Root, spark: SparkSession) -> None:
        self.root = root
        self.spark = spark

    def path(self, table: Table) -> str:
        """Where the table lies."""
        return table_location(self.root, table)

    def read(
        self, table: Table, *, ds: str | None = None, version: int | None = None, files: pc.Expression | None = None
    ) -> DataFrame:
        """Rows of one logical date (None: all) at a version (None: the newest).

        Args:
            table: contract of the table.
            ds: logical date.
            version: of the table.
            files: condition on columns of `data_actions`: other files need not be read (see `scan`).

        Raises:
            TableContractError: the table, the version or rows for `ds` do not exist.
        """
        delta = open_table(self.root, table, version=version)
        if version is None:
            require_columns(table, delta)
        if ds is not None:
            require_ds(self.root, table, ds, version=version)
            of_date = pc.field("partition.ds") == ds
            files = of_date if files is None else of_date & files
        rows = scan(self.spark, table, self.path(table), delta, files)
        return rows if ds is None else rows.where(F.col("ds") == ds)

    def create(self, table: Table) -> None:
        """An empty table with the contract's columns and constraints, where there is none.

        Raises:
            TableContractError: there is one with other columns.
        """
        create_table(self.root, table)

    def write_ds(self, table: Table, df: DataFrame, *, ds: str, run_id: str) -> Written:
        """Replace the rows of logical date `ds` by `df`; other dates stay.

        Raises:
            TableContractError: `df` breaks the contract or has no rows; the old rows stay.
            ConfigError: too little free disk.
        """
        date.fromisoformat(ds)
        with self._checked(table, df, ds=ds) as checked:
            return self._overwrite(table, checked, run_id, replace_where=f"ds = '{ds}'")

    def overwrite(self, table: Table, df: DataFrame, *, run_id: str) -> Written:
        """Replace all rows by `df`.

        Raises:
            TableContractError: `df` breaks the contract or has no rows; the old rows stay.
            ConfigError: too little free disk.
        """
        with self._checked(table, df) as checked:
            return self._overwrite(table, checked, run_id)

    def replace(self, table: Table, df: DataFrame, *, where: str, run_id: str) -> Written:
        """Replace the rows that meet `where`, a SQL condition, by `df`, all of whose rows meet it; `df` may
        be empty.

        Raises:
            TableContractError: `df` breaks the contract; the old rows stay.
            ConfigError: too little free disk.
        """
        with self._checked(table, df, may_be_empty=True) as checked:
            if not checked.rows and not self._has_rows(table):
                return self._written(table, checked)
            return self._overwrite(table, checked, run_id, replace_where=where)

    def upsert(self, table: Table, df: DataFrame, *, run_id: str) -> Written:
        """Insert the rows of `df`; where the table has a row of the same key, take its place. `df` may be
        empty.

        Raises:
            TableContractError: `df` breaks the contract; the table stays as it was.
            ConfigError: too little free disk.
        """
        with self._checked(table, df, may_be_empty=True) as checked:
            if not checked.rows:
                return self._written(table, checked)
            if not self._has_rows(table):
                return self._overwrite(table, checked, run_id, mode="append")
            target = DeltaTable.forPath(self.spark, self.path(table))
            merge = (
                target.alias("old")
                .merge(checked.frame.alias("new"), self._same_key(table, checked.frame))
                .whenMatchedUpdateAll()
                .whenNotMatchedInsertAll()
            )
            with self._user_metadata(run_id), constraints_kept(table):
                merge.execute()
            return self._written(table, checked)

    @contextmanager
    def _checked(
        self, table: Table, df: DataFrame, *, ds: str | None = None, may_be_empty: bool = False
    ) -> Iterator["_Checked"]:
        """`df` cached, counted and found good, with the table there to take it."""
        started = time.monotonic()
        frame = conform(table, df).persist()
        try:
            rows = check_rows(table, frame, ds=ds, may_be_empty=may_be_empty)
            require_free_disk(self.root, table)
            self.create(table)
            yield _Checked(frame, rows, started)
        finally:
            frame.unpersist()

    def _overwrite(
        self,
        table: Table,
        checked: "_Checked",
        run_id: str,
        *,
        mode: str = "overwrite",
        replace_where: str | None = None,
    ) -> Written:
        """One commit of the checked rows."""
        writer = _laid_out(table, checked).write.format("delta").mode(mode).option("userMetadata", run_id)
        if replace_where is not None:
            writer = writer.option("replaceWhere", replace_where)
        with constraints_kept(table):
            writer.save(self.path(table))
        return self._written(table, checked)

    def _written(self, table: Table, checked: "_Checked") -> Written:
        """What was written, told and logged. One writer a table, so the newest version is this commit."""
        version = table_version(self.root, table)
        written = Written(table.name, version, checked.rows, time.monotonic() - checked.started)
        logger.info(
            "wrote table=%s version=%d rows=%d seconds=%.1f",
            table.name,
            version,
            written.rows,
            written.seconds,
        )
        return written

    def _has_rows(self, table: Table) -> bool:
        return bool(open_table(self.root, table).file_uris())

    def _same_key(self, table: Table, frame: DataFrame) -> str:
        """Merge condition: equal keys, and of the partitions only those that `frame` touches."""
        condition = " and ".join(f"old.{name} = new.{name}" for name in table.key)
        for name in table.partition_by:
            lowest, highest = frame.agg(F.min(name).cast("string"), F.max(name).cast("string")).collect()[0]
            condition += f" and old.{name} = new.{name} and old.{name} between '{lowest}' and '{highest}'"
        return condition

    @contextmanager
    def _user_metadata(self, run_id: str) -> Iterator[None]:
        """The session's `userMetadata` for a statement that takes no writer options."""
        self.spark.conf.set(USER_METADATA, run_id)
        try:
            yield
        finally:
            self.spark.conf.unset(USER_METADATA)

    def append(self, table: Table, df: DataFrame, *, run_id: str) -> Written:
        """Add the rows of `df`, none of whose keys the table has; no rows are a commit too, which carries `run_id`.

        Raises:
            TableContractError: `df` breaks the contract; the table stays as it was.
            ConfigError: too little free disk.
        """
        with self._checked(table, df, may_be_empty=True) as checked:
            if checked.rows:
                return self._overwrite(table, checked, run_id, mode="append")
            # Spark commits nothing where there are no rows.
            mark = CommitProperties(custom_metadata={"userMetadata": run_id})
            nothing = table.arrow_schema().empty_table()
            write_deltalake(self.path(table), nothing, mode="append", commit_properties=mark)
            return self._written(table, checked)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A cached frame that keeps the contract."""

    frame: DataFrame
    rows: int
    started: float


def _laid_out(table: Table, checked: _Checked) -> DataFrame:
    """The rows in as few files as their number asks for: about a million a file, one a landing date."""
    if table.partition_by and table.partition_by != ("ds",):
        return checked.frame.repartition(*table.partition_by)
    return checked.frame.coalesce(max(1, math.ceil(checked.rows / ROWS_PER_FILE)))
