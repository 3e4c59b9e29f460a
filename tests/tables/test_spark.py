"""The session's set-up, and contracts as Spark schemas."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from recthinker.errors import ConfigError
from recthinker.settings import Settings
from recthinker.tables.jars import JARS, default_jars_dir, missing_jars, resolve_jars
from recthinker.tables.schemas import TABLES
from recthinker.tables.spark import session_properties, spark_schema, spark_session


def test_missing_jar_says_what_to_run(settings: Settings, tmp_path: Path) -> None:
    spark = settings.spark.model_copy(update={"jars_dir": tmp_path})
    with pytest.raises(ConfigError, match=r"delta-spark.*are not in .*; run `make setup`"):
        spark_session(spark, "test")


def test_missing_jars_are_those_the_folder_lacks(tmp_path: Path) -> None:
    assert missing_jars(tmp_path) == sorted(JARS)
    (tmp_path / sorted(JARS)[0]).touch()
    assert missing_jars(tmp_path) == sorted(JARS)[1:]


@pytest.mark.parametrize("master", ["local[2]", "spark://host:7077"])
def test_a_short_session_leaves_out_javas_second_compiler(settings: Settings, tmp_path: Path, master: str) -> None:
    for name in JARS:
        (tmp_path / name).touch()
    spark = settings.spark.model_copy(update={"master": master, "jars_dir": tmp_path})
    options = [
        session_properties(spark, is_short=is_short)["spark.driver.defaultJavaOptions"] for is_short in (False, True)
    ]
    assert ["-XX:TieredStopAtLevel=1" in told for told in options] == [False, True]
    assert all("-Duser.timezone=UTC" in told for told in options)
    assert "-XX:ReservedCodeCacheSize=240m" in options[True]


@pytest.mark.spark
def test_pinned_jars_that_are_there_are_not_fetched(spark: SparkSession) -> None:
    assert resolve_jars(default_jars_dir()) == []


@pytest.mark.spark
def test_session_is_utc_and_writes_no_deletion_vectors(spark: SparkSession, tmp_path: Path) -> None:
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.databricks.delta.snapshotPartitions") == "2"
    assert spark.sql("SELECT current_timezone()").collect()[0][0] == "UTC"


def test_spark_schema_keeps_order_and_nullability() -> None:
    for table in TABLES.values():
        schema = spark_schema(table)
        assert schema.names == table.column_names
        assert [field.nullable for field in schema.fields] == [column.nullable for column in table.columns]
    candidates = spark_schema(TABLES["candidates"])
    assert candidates["items"].dataType.simpleString() == (
        "array<struct<item_id:string,sources:array<string>,score:double>>"
    )
