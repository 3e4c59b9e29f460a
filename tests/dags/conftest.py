"""Airflow for the tests: a home and a database of its own, set before Airflow is imported for the first
time.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

HOME = Path(tempfile.mkdtemp(prefix="recthinker-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
DAGS = Path(__file__).resolve().parents[2] / "dags"

os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME / 'airflow.db'}",
    }
)


@pytest.fixture(scope="package")
def database() -> None:
    """Airflow's database, made for runs."""
    from airflow.utils.db import upgradedb

    upgradedb()


@pytest.fixture(scope="package")
def bag() -> "Iterator[DagBag]":
    """The DAGs as Airflow loads them, with the settings of the tests."""
    from airflow.dag_processing.dagbag import DagBag

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECTHINKER_ENV", "test")
        yield DagBag(DAGS)
