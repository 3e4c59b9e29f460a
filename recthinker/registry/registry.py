"""Model versions in MLflow's registry: which one serves, how a new one comes in.

A folder becomes a LoggedModel, then a version of the registered model; an alias names the version that
serves. The files of a version are complete before the version exists, and the alias moves in one transaction,
so that a reader sees the old model or the new one, whole.
"""

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recthinker.errors import RegistryError
from recthinker.registry.nights import log_night
from recthinker.registry.promotion import move_back, previous_of, promote
from recthinker.registry.reads import TableRead, read_tables
from recthinker.registry.runs import Run
from recthinker.registry.tracking import Tracking
from recthinker.registry.versions import ModelVersion, local_folder, require_model, version_of_folder
from recthinker.settings import Settings

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

logger = logging.getLogger(__name__)

EVALUATION_FILE = "evaluation.json"
"""Beside a model: its evaluation by leave-last-one."""
TEMPORAL_FILE = "evaluation_temporal.json"
"""Beside a model: its evaluation by the temporal protocol."""
DECISION_FILE = "gate.json"
"""Beside a model: what the gate decided on it."""
LOGGED_MODEL_TAG = "recthinker.logged_model"
"""Tag of a version: the LoggedModel that holds its files (MLflow on SQL does not keep `model_id` itself)."""


class Registry:
    """The registered model of the settings (`model.name`), its versions and the runs that made them."""

    def __init__(self, settings: Settings) -> None:
        self._model = settings.model
        self._mlflow = Tracking(settings)
        self._downloads = settings.paths.models
        self.tracking_uri = self._mlflow.uri

    def resolve(self) -> ModelVersion:
        """The model that serves: the folder of `model.path` if set, else the version that `model.alias` names now.

        Raises:
            RegistryError: there is none, or its files are no model.
        """
        version = version_of_folder(self._model.path) if self._model.path else self.champion()
        if version is None:
            raise RegistryError(
                f"no version of model {self._model.name} has the alias {self._model.alias} in "
                f"{self.tracking_uri}; run `python -m jobs.train_first_model`, or set model.path to a model folder"
            )
        return version

    def champion(self) -> ModelVersion | None:
        """The version that `model.alias` names now, or None; raises as `aliased`."""
        return self.aliased(self._model.alias)

    def aliased(self, alias: str) -> ModelVersion | None:
        """The version that `alias` names now, or None.

        Raises:
            RegistryError: its files are gone or are no model.
        """
        found = self._aliased(alias)
        if found is None:
            return None
        version = self._version(found)
        require_model(version.path)
        return version

    @contextmanager
    def training_run(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[Run]:
        """A new run, ended as FINISHED, or as FAILED when the body raises."""
        run = self._mlflow.client.create_run(self._mlflow.experiment_id, run_name=name, tags=dict(tags or {}))
        run_id = run.info.run_id
        try:
            yield Run(self._mlflow.client, run_id)
        except BaseException:
            self._mlflow.client.set_terminated(run_id, "FAILED")
            raise
        self._mlflow.client.set_terminated(run_id, "FINISHED")

    def register(
        self,
        model_dir: Path,
        run_id: str,
        *,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        evaluation: Mapping[str, Any] | None = None,
        alias: str | None = None,
    ) -> ModelVersion:
        """The folder as a new version of the model, with its metrics and evaluation; then `alias` names it.

        Args:
            model_dir: config.json, model.safetensors, tokenizer.json and what else the model needs.
            run_id: MLflow run that made it.
            metrics: figures of this model, logged to the run and linked to the model.
            tags: of the version.
            evaluation: kept beside the model as evaluation.json.
            alias: None: the version serves nothing yet.

        Raises:
            RegistryError: the folder is no model.
        """
        require_model(model_dir)
        client = self._mlflow.client
        logged = client.create_logged_model(self._mlflow.experiment_id, name=self._model.name, source_run_id=run_id)
        client.log_model_artifacts(logged.model_id, str(model_dir))
        client.finalize_logged_model(logged.model_id, "READY")
        for key, value in (metrics or {}).items():
            client.log_metric(run_id, key, value, model_id=logged.model_id)
        self._ensure_model()
        created = client.create_model_version(
            self._model.name,
            logged.artifact_location,
            run_id,
            tags={**(tags or {}), LOGGED_MODEL_TAG: logged.model_id},
            model_id=logged.model_id,
        )
        version = self._version(created)
        if evaluation is not None:
            self.log_evaluation(version, evaluation)
        if alias:
            self.set_alias(version, alias)
        logger.info("registered model=%s path=%s alias=%s", version, version.path, alias)
        return version

    def set_alias(self, version: ModelVersion, alias: str) -> None:
        """From now on `alias` names `version`."""
        self._mlflow.client.set_registered_model_alias(version.name, alias, version.version)

    def promote(self, version: ModelVersion, *, over: ModelVersion | None) -> None:
        """From now on `version` serves; raises as `promotion.promote`.

        Args:
            over: the champion that it was measured against; None: there was none.
        """
        promote(self._mlflow.client, self._model.alias, version, over=over, now=self.champion())

    def rollback(self) -> tuple[str, ModelVersion]:
        """The champion of before serves again, whatever became of the files of the one that serves.

        Returns:
            Which version served, as `name/version`, and the one that serves now.

        Raises:
            RegistryError: no champion, none before it, or that one's files are no model; nothing is changed.
        """
        if self._model.path:
            raise RegistryError(f"model.path names what serves ({self._model.path}); set it to another folder, or null")
        champion = self._aliased(self._model.alias)
        if champion is None:
            raise RegistryError(f"no version of model {self._model.name} has the alias {self._model.alias}")
        previous = self._version(self._mlflow.client.get_model_version(champion.name, previous_of(champion)))
        require_model(previous.path)
        move_back(self._mlflow.client, self._model.alias, champion, previous)
        return f"{champion.name}/{champion.version}", previous

    def log_evaluation(self, version: ModelVersion, evaluation: Mapping[str, Any], name: str = EVALUATION_FILE) -> None:
        """Keep an evaluation, or a decision, beside the files of a version; it takes the place of an older one.

        Args:
            name: of the file.
        """
        logged = self._mlflow.client.get_model_version(version.name, version.version).tags.get(LOGGED_MODEL_TAG)
        if not logged:
            raise RegistryError(f"model {version} was not registered by recthinker; register it again to evaluate it")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_text(json.dumps(evaluation, indent=2), encoding="utf-8")
            self._mlflow.client.log_model_artifact(logged, str(path))

    def evaluation(self, version: ModelVersion, name: str = EVALUATION_FILE) -> dict[str, Any] | None:
        """What `log_evaluation` kept with the version, or None; for a model by path, the same file in its folder."""
        path = version.path / name
        if not path.is_file():
            return None
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    def table_reads(self) -> list[TableRead]:
        """The tables that runs read which made a registered model, or are going on; none where there is no registry.

        Raises:
            RegistryError: MLflow cannot be read.
        """
        return (
            read_tables(self._mlflow.client, self._mlflow.experiment_id, self.tracking_uri)
            if self._mlflow.exists()
            else []
        )

    def log_night(self, manifest: Mapping[str, Any], episodes: Sequence[Mapping[str, Any]]) -> str:
        """A published night as a run, with some of its episodes as traces; the run's id.

        Args:
            manifest: the night's row of `run_manifest`, its maps as dicts.
            episodes: rows of `trajectories`, their maps as dicts.

        Raises:
            RegistryError: MLflow cannot be reached, or does not take it; the night can be logged again.
        """
        try:
            return log_night(self._mlflow.client, self._mlflow.experiment_id, manifest, episodes)
        except Exception as error:  # MLflow's stores raise whatever their drivers raise
            raise RegistryError(
                f"MLflow at {self.tracking_uri} did not take night {manifest['ds']}: {error!r}; run jobs.log_night "
                "again when it can"
            ) from error

    def _aliased(self, alias: str) -> "MlflowVersion | None":
        from mlflow.exceptions import MlflowException

        if not self._mlflow.exists():
            return None
        try:
            return self._mlflow.client.get_model_version_by_alias(self._model.name, alias)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise RegistryError(f"MLflow at {self.tracking_uri} cannot be read: {error.message}") from error

    def _ensure_model(self) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._mlflow.client.create_registered_model(self._model.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _version(self, found: "MlflowVersion") -> ModelVersion:
        number = str(found.version)
        return ModelVersion(
            found.name, number, local_folder(str(found.source), self._downloads / f"{found.name}-{number}")
        )
