"""Airflow for the tests: a home and a database of its own, set before Airflow is imported for the first time."""

import os
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="recthinker-airflow-"))
DAGS = Path(__file__).resolve().parents[2] / "dags"

os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME / 'airflow.db'}",
        "RECTHINKER_ENV": "test",
    }
)
