"""What training runs read: the table versions that registered models, and runs that are going on, refer to."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from recthinker.errors import RegistryError
from recthinker.registry.runs import TOUCHED_TAG

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun
    from mlflow.tracking import MlflowClient

PAGE = 200
"""Entries asked for at once."""


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table as a run read it."""

    table: str
    version: int
    """Delta version."""
    ds: str | None
    """Logical date of the run; None: it does not tell."""
    cut: str | None
    """Training cut that the table is of; None: the warehouse's, or the run does not tell."""
    by: str
    """Who read it, for people: `model recthinker/3`."""
    going_on_at: datetime | None = None
    """Of a run that is going on, when it last gave a sign: one that was killed goes on for ever by its status."""


def read_tables(client: "MlflowClient", experiment_id: str, tracking_uri: str) -> list[TableRead]:
    """The tables that runs read which made a registered model, or are going on in the experiment.

    Raises:
        RegistryError: MLflow cannot be read.
    """
    from mlflow.exceptions import MlflowException

    try:
        found = [(by, _run(client, run_id)) for by, run_id in (*_models(client), *_going_on(client, experiment_id))]
    except MlflowException as error:
        raise RegistryError(
            f"MLflow at {tracking_uri} cannot be read, so that nobody knows which table versions its models need: "
            f"{error.message}; try again when it can"
        ) from error
    return [read for by, run in found if run is not None for read in _reads(run, by)]


def _models(client: "MlflowClient") -> Iterator[tuple[str, str]]:
    """Name and run of every registered version of every model that a run made."""
    token = None
    while True:
        page = client.search_model_versions(max_results=PAGE, page_token=token)
        yield from ((f"model {one.name}/{one.version}", str(one.run_id)) for one in page if one.run_id)
        token = page.token
        if not token:
            return


def _going_on(client: "MlflowClient", experiment_id: str) -> Iterator[tuple[str, str]]:
    runs = client.search_runs([experiment_id], "attributes.status = 'RUNNING'", max_results=PAGE)
    return ((f"training run {run.info.run_name}", str(run.info.run_id)) for run in runs)


def _run(client: "MlflowClient", run_id: str) -> "MlflowRun | None":
    """The run; None: it was removed for good, and with it what it read."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def _reads(run: "MlflowRun", by: str) -> Iterator[TableRead]:
    """The Delta tables among a run's inputs."""
    for entry in run.inputs.dataset_inputs if run.inputs else ():
        if entry.dataset.source_type == "delta":
            source = json.loads(entry.dataset.source)
            if "table" in source and "version" in source:
                ds, cut = run.data.tags.get("ds"), source.get("cut")
                yield TableRead(source["table"], int(source["version"]), ds, cut, by, _last_sign(run))


def _last_sign(run: "MlflowRun") -> datetime | None:
    """When a run that is going on started, or touched itself."""
    if run.info.status != "RUNNING":
        return None
    return datetime.fromtimestamp(int(run.data.tags.get(TOUCHED_TAG, run.info.start_time)) / 1000, UTC)
