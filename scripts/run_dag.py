"""Runs one DAG of dags/ for one logical date to its end, as `airflow dags test` does: no scheduler, no web
server.

Usage: python scripts/run_dag.py DAG_ID YYYY-MM-DD

Airflow keeps its own SQLite database under var/airflow: never that of a live scheduler, which would take the
tasks too. It is migrated once per Airflow version. One process for all that, because importing Airflow takes
seconds.
"""

import os
import sys
from importlib.metadata import version
from pathlib import Path

from recthinker.settings import Settings, load_settings


def main() -> None:
    """Exit code 1 when the DAG run failed."""
    dag_id, day = sys.argv[1:]
    settings = load_settings()
    home = settings.paths.airflow.resolve()
    home.mkdir(parents=True, exist_ok=True)
    # Before the import: Airflow reads its settings then.
    os.environ.update(_environment(home))
    from airflow.cli.cli_parser import get_parser

    parser = get_parser()
    for command in (*_preparation(home, settings), ["dags", "test", dag_id, day]):
        args = parser.parse_args(command)
        args.func(args)
        if command == ["db", "migrate"]:
            _stamp(home).touch()


def _environment(home: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).resolve().parents[1] / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
    }


def _preparation(home: Path, settings: Settings) -> list[list[str]]:
    """Commands that a new database needs, and the pool, which may have another size now."""
    migrate = [] if _stamp(home).exists() else [["db", "migrate"]]
    pool, slots = settings.orchestration.inference_pool, settings.orchestration.inference_pool_slots
    return [*migrate, ["pools", "set", pool, str(slots), "inference shards at once"]]


def _stamp(home: Path) -> Path:
    return home / f"migrated-{version('apache-airflow')}"


if __name__ == "__main__":
    main()
