"""Delta's jars, pinned: `python -m recthinker.tables.jars [--to DIR]` puts them where the Spark session
looks.

Spark's own resolver (Ivy, with the repositories that this machine's Spark is set up for) fetches them; each
is kept only if its SHA-256 is the one named here. What Spark already ships (Hadoop, Jackson, Parquet, ...) is
left out.
"""

import argparse
import hashlib
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark import SparkConf
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway

from recthinker.errors import ConfigError
from recthinker.files import replacing
from recthinker.tables.java import require_java

VERSION = "4.4.0"
COORDINATE = f"io.delta:delta-spark_4.2_2.13:{VERSION}"
_DIGESTS = {
    "delta-kernel-api": "ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11",
    "delta-kernel-defaults": "225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b",
    "delta-kernel-unitycatalog": "cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa",
    "delta-spark_4.2_2.13": "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead",
    "delta-storage": "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
}
JARS = {f"io.delta_{artifact}-{VERSION}.jar": digest for artifact, digest in _DIGESTS.items()}
"""File name to SHA-256, as `COORDINATE` resolves without what Spark ships."""
SHIPPED_WITH_SPARK = "org.*:*,com.*:*,io.airlift:*,io.unitycatalog:*,javax.*:*,commons-*:*"


def default_jars_dir() -> Path:
    """share/recthinker/jars of the environment that runs this."""
    return Path(sysconfig.get_path("data")) / "share" / "recthinker" / "jars"


def class_archive(folder: Path) -> Path:
    """Where the classes of sessions with the jars in `folder` are kept (`recthinker.tables.class_archive`)."""
    return folder / "spark-classes.jsa"


def missing_jars(folder: Path) -> list[str]:
    """Names of the pinned jars that `folder` lacks, sorted."""
    return [name for name in sorted(JARS) if not (folder / name).is_file()]


def resolve_jars(folder: Path) -> list[str]:
    """Put the pinned jars into `folder`; the names of those that were fetched, none where all are there.

    A jar that is there is compared with its SHA-256 as well, and fetched again if it differs.

    Raises:
        ConfigError: no Java, the resolver could not fetch a jar, or what it fetched is not the pinned file.
    """
    wanted = [name for name, digest in JARS.items() if not _is_pinned(folder / name, digest)]
    if not wanted:
        return []
    require_java()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="recthinker-jars-") as ivy:
        _run_resolver(ivy)
        for name in wanted:
            _take(Path(ivy) / "jars" / name, folder / name, JARS[name])
    return wanted


def _is_pinned(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _run_resolver(ivy: str) -> None:
    """Launch Spark's gateway process with the package named: it fills `<ivy>/jars` before it answers."""
    conf = SparkConf(loadDefaults=False)
    conf.set("spark.jars.packages", COORDINATE).set("spark.jars.excludes", SHIPPED_WITH_SPARK)
    conf.set("spark.jars.ivy", ivy).set("spark.driver.memory", "512m")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    launch: Callable[..., Any] = launch_gateway  # pyspark leaves it untyped
    try:
        gateway = launch(conf, quiet)
    except PySparkException as error:
        raise ConfigError(
            f"Spark could not resolve {COORDINATE}: check the network or proxy (Ivy settings: "
            "spark.jars.ivySettings in spark-defaults.conf), then run `make setup` again"
        ) from error
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=30)


def _take(fetched: Path, target: Path, digest: str) -> None:
    """Move a fetched jar to its place in one step, so that a half-written one is never found there."""
    if not _is_pinned(fetched, digest):
        found = "another file" if fetched.is_file() else "nothing"
        raise ConfigError(f"{fetched.name} should have SHA-256 {digest}; the resolver brought {found}")
    with replacing(target) as partial:
        shutil.copyfile(fetched, partial)


def main() -> None:
    """Resolve the jars and say what was done."""
    parser = argparse.ArgumentParser(prog="python -m recthinker.tables.jars", description=__doc__)
    parser.add_argument("--to", type=Path, default=default_jars_dir(), help="folder of the jars (default: %(default)s)")
    folder = parser.parse_args().to
    try:
        fetched = resolve_jars(folder)
    except ConfigError as error:
        raise SystemExit(f"jars: {error}") from error
    print(f"{len(fetched)} jars fetched, {len(JARS) - len(fetched)} were there: {folder}")


if __name__ == "__main__":
    main()
