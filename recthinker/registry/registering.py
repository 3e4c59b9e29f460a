"""A folder becomes a LoggedModel with its signature, then a version of the registered model.

The files are complete before the version exists. A registration that was cut off leaves a LoggedModel without a
version; the next one under the same key takes it away.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from recthinker.registry.signature import write_signature
from recthinker.registry.versions import require_model

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion
    from mlflow.tracking import MlflowClient

LOGGED_MODEL_TAG = "recthinker.logged_model"
"""Tag of a version: the LoggedModel that holds its files (MLflow on SQL does not keep `model_id` itself)."""
KEY_TAG = "recthinker.registration"
"""Tag of a version and of its LoggedModel: the key that it was registered under."""
CARD_FILE = "README.md"
"""Beside a model: what it is, for people."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A model to be registered."""

    folder: Path
    run_id: str
    """MLflow run that made it."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures of this model, logged to the run and linked to the model."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of the version."""
    card: str | None = None
    """Markdown; what stands above its first section describes the version."""
    key: str | None = None
    """What is registered under a key is registered once."""


def register_once(
    client: "MlflowClient", experiment_id: str, name: str, wanted: Registration
) -> "tuple[MlflowVersion, bool]":
    """The version of `name` that holds the model, and whether it is new.

    Raises:
        RegistryError: the folder is no model.
    """
    require_model(wanted.folder)
    _ensure_model(client, name)
    if wanted.key:
        if there := client.search_model_versions(f"name = '{name}' and tags.`{KEY_TAG}` = '{wanted.key}'"):
            return there[0], False
        for cut_off in client.search_logged_models([experiment_id], f"tags.`{KEY_TAG}` = '{wanted.key}'"):
            client.delete_logged_model(cut_off.model_id)
    return _register(client, experiment_id, name, wanted), True


def _register(client: "MlflowClient", experiment_id: str, name: str, wanted: Registration) -> "MlflowVersion":
    key = {KEY_TAG: wanted.key} if wanted.key else {}
    logged = client.create_logged_model(experiment_id, name=name, source_run_id=wanted.run_id, tags=key)
    client.log_model_artifacts(logged.model_id, str(wanted.folder))
    with tempfile.TemporaryDirectory() as folder:
        described = Path(folder)
        write_signature(described, wanted.folder, run_id=wanted.run_id, model_id=logged.model_id)
        if wanted.card is not None:
            (described / CARD_FILE).write_text(wanted.card, encoding="utf-8")
        client.log_model_artifacts(logged.model_id, str(described))
    client.finalize_logged_model(logged.model_id, "READY")
    for metric, value in wanted.metrics.items():
        client.log_metric(wanted.run_id, metric, value, model_id=logged.model_id)
    return client.create_model_version(
        name,
        logged.artifact_location,
        wanted.run_id,
        tags={**wanted.tags, **key, LOGGED_MODEL_TAG: logged.model_id},
        description=wanted.card and wanted.card.partition("\n## ")[0].strip(),
        model_id=logged.model_id,
    )


def _ensure_model(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
