"""Shared fixtures: settings that write under tmp_path, one Spark session, a store, the tiny world's landing
tables.

Spark starts only for tests that ask for it; they are marked `spark`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from recthinker.features import build_features
from recthinker.settings import Settings, load_settings
from recthinker.tables.jars import default_jars_dir, resolve_jars
from recthinker.tables.spark import spark_session
from recthinker.tables.store import TableStore
from tests import tiny_world


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The test overlay, with `var` under tmp_path; the caller's environment does not count."""
    return load_settings("test", environ={}, overrides={"paths": {"var": str(tmp_path / "var")}})


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database, empty, as its first use leaves it: copied it spares seconds."""
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The one session of the test run: local[1], UTC, Delta; resolves the jars once where set-up has not."""
    resolve_jars(default_jars_dir())
    session = spark_session(load_settings("test", environ={}).spark, "recthinker-tests")
    yield session
    session.stop()


@pytest.fixture
def store(spark: SparkSession, settings: Settings) -> TableStore:
    """An empty store of this test's own."""
    return TableStore(settings.paths.warehouse, spark)


@pytest.fixture(scope="session")
def tiny_store(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> TableStore:
    """The tiny world's landing tables, written once a test run: read only."""
    store = TableStore(tmp_path_factory.mktemp("tiny") / "warehouse", spark)
    tiny_world.land(store)
    return store


@pytest.fixture(scope="session")
def built_store(tiny_store: TableStore, tmp_path_factory: pytest.TempPathFactory) -> TableStore:
    """The tiny world with its feature tables of `tiny_world.DS`, built once a test run: read only."""
    root = tmp_path_factory.mktemp("built") / "warehouse"
    shutil.copytree(tiny_store.root, root)
    store = TableStore(root, tiny_store.spark)
    build_features(store, tiny_world.DS, load_settings("test", environ={}).features, run_id="built")
    return store
