"""Java's classes of a Spark session, laid out ready for use: `python -m recthinker.tables.class_archive [--to DIR]`.

A session loads and verifies some 20,000 classes, each time anew, which takes Java longer than a small job's own work.
From an archive they are mapped into memory (class data sharing, https://openjdk.org/jeps/350). Java leaves an archive
alone that does not fit it, its class path or its options: the session then starts as without.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

from recthinker.errors import ConfigError
from recthinker.files import replacing
from recthinker.settings import SparkSettings, load_settings
from recthinker.tables.jars import class_archive, default_jars_dir
from recthinker.tables.spark import QUIET_ARCHIVE, java_options, spark_session

WRITE_S = 300
"""Seconds that Java may take to write the archive, far more than it does."""


def write_archive(jars_dir: Path, settings: SparkSettings) -> Path:
    """Run a session that does a little of all that jobs do, and keep the classes that it loaded; the archive.

    Called in a process of its own, which has started no session.

    Raises:
        ConfigError: no Java 17 or 21, a Delta jar is missing, or Java wrote no archive.
    """
    target = class_archive(jars_dir)
    with replacing(target) as partial:
        options = java_options(f"-XX:ArchiveClassesAtExit={partial}", QUIET_ARCHIVE)
        conf = {"spark.driver.defaultJavaOptions": options}
        session = settings.model_copy(update={"master": "local[2]", "jars_dir": jars_dir, "conf": conf})
        spark = spark_session(session, "recthinker-classes")
        with tempfile.TemporaryDirectory(prefix="recthinker-classes-") as folder:
            exercise(spark, folder)
        _end_java(spark)
        if not partial.is_file():
            raise ConfigError(f"Java wrote no class archive to {partial.parent}; look at its log above")
    return target


def exercise(spark: SparkSession, folder: str) -> None:
    """Compute, write and read a few rows in the ways that jobs do: windows, joins, SQL, Arrow, Parquet, Delta."""
    events = spark.range(200).select(
        (F.col("id") % 7).cast("string").alias("user"),
        F.col("id").cast("string").alias("item"),
        F.timestamp_seconds("id").alias("time"),
        F.struct(F.lit("view").alias("name"), F.lit(1.0).alias("weight")).alias("kind"),
    )
    events.write.format("delta").partitionBy("user").save(f"{folder}/delta")
    events.sortWithinPartitions("item").write.option("compression", "zstd").parquet(f"{folder}/parquet")
    newest = Window.partitionBy("user").orderBy(F.desc("time"), "item")
    ranked = spark.read.parquet(f"{folder}/parquet").withColumn("place", F.row_number().over(newest))
    lists = ranked.groupBy("user").agg(F.sort_array(F.collect_list(F.struct("place", "item", "kind"))).alias("events"))
    pairs = lists.select("user", F.explode(F.slice("events", 1, 5)).alias("event")).join(lists, "user", "left")
    same = pairs.mapInArrow(lambda batches: batches, pairs.schema).cache()
    same.groupBy("user").applyInArrow(lambda rows: rows, same.schema).createOrReplaceTempView("pairs")
    spark.read.format("delta").load(f"{folder}/delta").createOrReplaceTempView("events")
    spark.sql(
        "SELECT user, count(*) AS n, to_json(named_struct('user', user)) AS told FROM pairs "
        "WHERE user IN (SELECT user FROM events WHERE kind.weight > 0) GROUP BY user HAVING n > 1 ORDER BY n LIMIT 3"
    ).collect()
    spark.createDataFrame([("a", 1)], "name string, rows bigint").toArrow()


def _end_java(spark: SparkSession) -> None:
    """End the session's Java process, and wait until it has: only then the archive is whole."""
    gateway: Any = SparkContext._gateway
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=WRITE_S)


def main() -> None:
    """Write the archive and say where."""
    parser = argparse.ArgumentParser(prog="python -m recthinker.tables.class_archive", description=__doc__)
    parser.add_argument("--to", type=Path, default=default_jars_dir(), help="folder of the jars (default: %(default)s)")
    try:
        archive = write_archive(parser.parse_args().to, load_settings().spark)
    except ConfigError as error:
        sys.exit(f"class archive: {error}")
    print(f"{archive.stat().st_size >> 20} MiB in {archive}")


if __name__ == "__main__":
    main()
