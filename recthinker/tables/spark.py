"""The Spark session with Delta, and Spark schemas from the table contracts.

Delta's jars are taken by path, so that a start needs no network. Delta's default of 50 snapshot partitions is
meant for tables with millions of files: two make small commits about four times faster. Clusters and spark-submit:
docs/cluster.md.
"""

import os
import sys
from collections.abc import Mapping

from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from recthinker.errors import ConfigError
from recthinker.settings import SparkSettings, resource_dir
from recthinker.tables.cluster import cluster_properties, ship_package, submitted_properties
from recthinker.tables.jars import JARS, class_archive, default_jars_dir, missing_jars
from recthinker.tables.java import require_java
from recthinker.tables.schemas import Table

LOOPBACK = "127.0.0.1"
QUIET_ARCHIVE = "-Xlog:cds=off -Xlog:cds+dynamic=off"
"""Java says nothing of classes that it cannot take from, or put into, an archive."""
FIRST_COMPILER = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
"""Java's first compiler alone, with the code cache of both: its own of 48 MB is soon full, and compiles no more."""


def spark_session(settings: SparkSettings, app_name: str, *, is_short: bool = False) -> SparkSession:
    """The process's Spark session: Delta tables, UTC, no UI, quiet.

    `settings.conf` wins over what follows from the other settings, and what spark-submit was given wins over both. A
    session that already runs in this process is returned as it is.

    Args:
        settings: of Spark.
        app_name: what Spark calls the session.
        is_short: whether much of the work is over before Java's second compiler pays: it is then left out. A setting
            `-XX:TieredStopAtLevel=4` in `spark.driver.extraJavaOptions` brings it back; under
            spark-submit Java runs already.

    Raises:
        ConfigError: no Java 17 or 21, or a Delta jar is missing.
    """
    require_java()
    # Else Spark starts its Python workers with the `python3` of the PATH, which may be another version.
    os.environ.setdefault("PYSPARK_PYTHON", settings.python or sys.executable)
    properties = session_properties(settings, is_short=is_short)
    is_new = SparkSession.getActiveSession() is None
    builder = SparkSession.builder.appName(app_name)
    for key, value in properties.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    if is_new and settings.ship_code and not properties["spark.master"].startswith("local"):
        ship_package(spark)
    return spark


def session_properties(settings: SparkSettings, *, is_short: bool = False) -> dict[str, str]:
    """The properties that `spark_session` asks for.

    Raises:
        ConfigError: a Delta jar is missing.
    """
    submitted = submitted_properties()
    jars = {} if submitted else _jars(settings)
    options = [*([FIRST_COMPILER] if is_short else []), *_archive_options(settings, jars)]
    own = {
        "spark.master": settings.master,
        "spark.driver.defaultJavaOptions": java_options(*options),
        **_properties(settings),
        **jars,
    }
    return {**own, **settings.conf, **submitted}


def spark_schema(table: Table) -> StructType:
    """The contract's columns as a Spark schema, in their order, nullability kept."""
    return from_arrow_schema(table.arrow_schema())


def _jars(settings: SparkSettings) -> dict[str, str]:
    """Where Spark finds Delta: what the settings name, else the pinned jars of this machine.

    Raises:
        ConfigError: a pinned jar is missing.
    """
    if settings.jars or settings.packages:
        named = {"spark.jars": settings.jars, "spark.jars.packages": settings.packages}
        return {key: ",".join(values) for key, values in named.items() if values}
    jars_dir = settings.jars_dir or default_jars_dir()
    missing = missing_jars(jars_dir)
    if missing:
        raise ConfigError(f"Delta's jars {', '.join(missing)} are not in {jars_dir}; run `make setup`")
    paths = [str((jars_dir / name).resolve()) for name in sorted(JARS)]
    if not settings.master.startswith("local") or "spark.driver.extraClassPath" in settings.conf:
        return {"spark.jars": ",".join(paths)}
    # On Java's own class path, so that an archive can hold their classes too.
    return {"spark.driver.extraClassPath": ":".join(paths)}


def _archive_options(settings: SparkSettings, jars: Mapping[str, str]) -> tuple[str, ...]:
    """Java's options for the archive of classes, where there is one and the jars are on the class path."""
    if "spark.driver.extraClassPath" not in jars:
        return ()
    classes = class_archive((settings.jars_dir or default_jars_dir()).resolve())
    return (f"-XX:SharedArchiveFile={classes}", QUIET_ARCHIVE) if classes.is_file() else ()


def java_options(*more: str) -> str:
    """Options of every session's Java process, and more."""
    log4j = (resource_dir("conf") / "spark-log4j2.properties").resolve().as_uri()
    return " ".join(["-Duser.timezone=UTC", f"-Dlog4j2.configurationFile={log4j}", *more])


def _properties(settings: SparkSettings) -> dict[str, str]:
    """Spark properties that follow from the settings."""
    loopback = {"spark.driver.host": LOOPBACK, "spark.driver.bindAddress": LOOPBACK}
    return {
        **(loopback if settings.master.startswith("local") else {}),
        **cluster_properties(settings),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.driver.memory": settings.driver_memory,
        # Python workers keep the memory that they free: to get it back page by page costs a fifth of their time.
        "spark.executorEnv.ARROW_DEFAULT_MEMORY_POOL": "system",
        "spark.executorEnv.MALLOC_MMAP_THRESHOLD_": str(2**30),
        "spark.executorEnv.MALLOC_TRIM_THRESHOLD_": str(2**31),
        "spark.log.level": "ERROR",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Spark's default, INT96, is read several times slower by Arrow and has no bounds.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.session.timeZone": "UTC",
        # Files are named one by one: to look at some hundred of them takes no Spark job.
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "1024",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
