"""What must be well before `make up` says that it is up."""

import urllib.request
from collections.abc import Iterator

from recthinker.cli.up.airflow_api import TIMEOUT_S, AirflowApi
from recthinker.cli.up.parts import has_own_mlflow
from recthinker.cli.up.site import Site
from recthinker.settings import Settings

AWAITED_DAGS = {"nightly_recommendations", "retrain_recthinker"}


def unwell(api: AirflowApi, site: Site, settings: Settings) -> Iterator[str]:
    """What is not well yet, in words; an answer that does not come is not well."""
    try:
        yield from (f"Airflow's {part}" for part in api.unhealthy())
        yield from (f"DAG {dag_id}" for dag_id in sorted(AWAITED_DAGS - api.dag_ids()))
    except OSError:
        yield "Airflow's api-server"
    if has_own_mlflow(settings):
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(f"{site.mlflow_url}/health", timeout=TIMEOUT_S).close()
        except OSError:
            yield "MLflow"
