"""A Delta table's rows as Spark reads them, from the list of files that delta-rs reads off the log.

Delta's own reader runs two to four Spark jobs before each scan to find the files; for tables of up to some ten thousand
files the log read in this process takes milliseconds.
"""

from collections.abc import Iterable
from urllib.parse import unquote

import pyarrow.compute as pc
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from recthinker.tables.arrow import data_actions
from recthinker.tables.schemas import Table
from recthinker.tables.spark import spark_schema

PLAIN_READER = 1
"""Reader version of tables whose files hold the rows as they are: no deletion vectors, no mapped columns."""


def scan(
    spark: SparkSession, table: Table, location: str, delta: DeltaTable, files: pc.Expression | None = None
) -> DataFrame:
    """The rows of a table at a version.

    Args:
        spark: the session.
        table: its contract.
        location: where it lies.
        delta: the table at the version wanted.
        files: condition on columns of `data_actions`. Files for which it is not true need not be read, and are not
            unless Delta's reader takes over: filter the rows as well. None: all are read.
    """
    actions = data_actions(delta)
    paths = actions["path"].to_pylist()
    if delta.protocol().min_reader_version > PLAIN_READER or not all(_tells_partition(table, path) for path in paths):
        return spark.read.format("delta").option("versionAsOf", delta.version()).load(location)
    kept = paths if files is None else actions.filter(files)["path"].to_pylist()
    return rows_of_files(spark, table, location, kept)


def rows_of_files(spark: SparkSession, table: Table, location: str, paths: Iterable[str]) -> DataFrame:
    """The rows of files of a table; the values of partition columns are those in the names of their folders.

    Args:
        spark: the session.
        table: its contract.
        location: where it lies.
        paths: relative to `location`.
    """
    schema = spark_schema(table)
    found = [f"{location}/{unquote(path)}" for path in paths]
    if not found:
        return spark.createDataFrame([], schema)
    rows = spark.read.schema(schema).option("basePath", location).parquet(*found)
    return rows.select(*table.column_names)


def _tells_partition(table: Table, path: str) -> bool:
    """Whether the values of the partition columns are in a file's path, as Spark and delta-rs name folders."""
    return all(f"{name}=" in path for name in table.partition_by)
