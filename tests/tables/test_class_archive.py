"""The archive of Java's classes: which sessions take it, and that Java takes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from recthinker.settings import Settings
from recthinker.tables.class_archive import exercise
from recthinker.tables.jars import JARS, class_archive, default_jars_dir
from recthinker.tables.spark import session_properties


@pytest.fixture
def jars_dir(tmp_path: Path) -> Path:
    for name in (*JARS, class_archive(tmp_path).name):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("is_short", [False, True])
def test_a_local_session_takes_the_archive_where_there_is_one(
    settings: Settings, jars_dir: Path, is_short: bool
) -> None:
    spark = settings.spark.model_copy(update={"jars_dir": jars_dir})
    options = session_properties(spark, is_short=is_short)["spark.driver.defaultJavaOptions"]
    assert str(class_archive(jars_dir)) in options
    assert ("-XX:TieredStopAtLevel=1" in options) == is_short
    class_archive(jars_dir).unlink()
    without = session_properties(spark, is_short=is_short)
    assert "SharedArchiveFile" not in without["spark.driver.defaultJavaOptions"]
    assert len(without["spark.driver.extraClassPath"].split(":")) == len(JARS)


@pytest.mark.parametrize(
    "other", [{"master": "spark://host:7077"}, {"conf": {"spark.driver.extraClassPath": "/mine.jar"}}]
)
def test_a_session_with_another_class_path_does_without(
    settings: Settings, jars_dir: Path, other: dict[str, object]
) -> None:
    found = session_properties(settings.spark.model_copy(update={"jars_dir": jars_dir, **other}))
    assert len(found["spark.jars"].split(",")) == len(JARS)
    assert "SharedArchiveFile" not in found["spark.driver.defaultJavaOptions"]


@pytest.mark.spark
def test_what_the_archive_is_made_from_runs(spark: SparkSession, tmp_path: Path) -> None:
    exercise(spark, str(tmp_path))
    assert spark.table("pairs").count() == 35


@pytest.mark.slow
@pytest.mark.skipif(not class_archive(default_jars_dir()).is_file(), reason="set-up could write no archive here")
def test_java_takes_the_archive_of_this_environment() -> None:
    # With this option Java ends where it cannot.
    conf = json.dumps({"spark.driver.extraJavaOptions": "-Xshare:on"})
    environment = {**os.environ, "RECTHINKER_ENV": "bench", "RECTHINKER__SPARK__CONF": conf}
    command = [sys.executable, "-m", "tests.benchmarks.spark_startup"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
