"""Builds the feature tables of one logical date D, and nothing else: for backfills of features.

- Param `day` (`YYYY-MM-DD`): D; without it, the run's logical date, else the last complete UTC day.
- Reads: interactions, items, users, item_relations. Writes: partition D of all feature tables.
- Safe to run again: a partition is replaced as a whole, with the same rows. One run at a time.
- Has no schedule, the nightly DAG builds the same tables; one run a day to backfill:
  `airflow dags trigger feature_tables --logical-date D`
"""

from typing import Any

from airflow.sdk import dag

from dags._features import features
from dags._jobs import dag_arguments, resolve_day
from recthinker.settings import load_settings


@dag(
    dag_id="feature_tables",
    doc_md=__doc__,
    schedule=None,
    tags=["recthinker", "features"],
    **dag_arguments(load_settings()),
)
def feature_tables() -> None:
    """The feature task group alone."""
    day: Any = resolve_day()
    features(day)


feature_tables()
