"""What a Spark session on a cluster, or in spark-submit, needs besides: executors, and this package's code on them."""

import os
import zipfile
from pathlib import Path

from pyspark import SparkConf, SparkContext, SparkFiles
from pyspark.sql import SparkSession

from recthinker import __version__
from recthinker.settings import SparkSettings

PACKAGE = Path(__file__).resolve().parents[1]
GATEWAY_VARIABLE = "PYSPARK_GATEWAY_PORT"
"""Set where spark-submit has started this process; its Java process, and so its properties, were there first."""


def cluster_properties(settings: SparkSettings) -> dict[str, str]:
    """Spark properties of executors and event logs; those that the settings leave open are left out."""
    properties = {
        "spark.executor.memory": settings.executor_memory,
        "spark.executor.cores": settings.executor_cores and str(settings.executor_cores),
        "spark.executor.defaultJavaOptions": "-Duser.timezone=UTC",
        "spark.eventLog.enabled": settings.event_log_dir and "true",
        "spark.eventLog.dir": settings.event_log_dir,
    }
    return {key: value for key, value in properties.items() if value}


def submitted_properties() -> dict[str, str]:
    """The properties that spark-submit was given; none where Python was started by itself."""
    if GATEWAY_VARIABLE not in os.environ:
        return {}
    # Before that, SparkConf knows no Java process and would read nothing.
    SparkContext._ensure_initialized()
    return dict(SparkConf().getAll())


def ship_package(spark: SparkSession) -> Path:
    """Send this package's modules to the executors, where tasks import them before an installed version; the zip.

    It lies among the session's files, which Spark removes when the session ends.
    """
    path = Path(SparkFiles.getRootDirectory()) / "shipped" / f"recthinker-{__version__}.zip"
    path.parent.mkdir(exist_ok=True)
    zip_package(path)
    spark.sparkContext.addPyFile(str(path))
    return path


def zip_package(path: Path) -> None:
    """Write all Python modules of this package to the zip file `path`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as held:
        for module in sorted(PACKAGE.rglob("*.py")):
            held.write(module, module.relative_to(PACKAGE.parent))
