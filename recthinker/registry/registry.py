"""Model versions in MLflow's registry: which one serves, how a new one comes in.

A folder becomes a LoggedModel, then a version of the registered model; an alias names the version that
serves. The files of a version are complete before the version exists, and the alias moves in one transaction,
so that a reader sees the old model or the new one, whole.
"""

import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recthinker.errors import RegistryError
from recthinker.registry.nights import log_night
from recthinker.registry.promotion import move_back, previous_of, promote
from recthinker.registry.reads import TableRead, read_tables
from recthinker.registry.registering import LOGGED_MODEL_TAG, Registration, register_once
from recthinker.registry.runs import Run, started_run
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
        version = self.serving()
        if version is None:
            raise RegistryError(
                f"no version of model {self._model.name} has the alias {self._model.alias} in "
                f"{self.tracking_uri}; run `python -m jobs.train_first_model`, or set model.path to a model folder"
            )
        return version

    def serving(self) -> ModelVersion | None:
        """As `resolve`, but None where there is no model."""
        return version_of_folder(self._model.path) if self._model.path else self.champion()

    def numbered(self, number: str) -> ModelVersion:
        """The version of that number, whatever it serves.

        Raises:
            RegistryError: there is none, or its files are gone or are no model.
        """
        from mlflow.exceptions import MlflowException

        try:
            version = self._version(self._mlflow.client.get_model_version(self._model.name, number))
        except MlflowException as error:
            raise RegistryError(
                f"MLflow at {self.tracking_uri} has no version {number} of model {self._model.name}: {error.message}"
            ) from error
        require_model(version.path)
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

    def training_run(self, name: str, tags: Mapping[str, str] | None = None) -> AbstractContextManager[Run]:
        """A new run, ended as FINISHED, or as FAILED when the body raises."""
        return started_run(self._mlflow.client, self._mlflow.experiment_id, name, tags or {})

    def register(
        self,
        model_dir: Path,
        run_id: str,
        *,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        evaluation: Mapping[str, Any] | None = None,
        alias: str | None = None,
        card: str | None = None,
        key: str | None = None,
    ) -> ModelVersion:
        """The folder as a new version of the model, with its metrics and evaluation; then `alias` names it.

        Args:
            model_dir: config.json, model.safetensors, tokenizer.json and what else the model needs.
            run_id: MLflow run that made it.
            metrics: figures of this model, logged to the run and linked to the model.
            tags: of the version.
            evaluation: kept beside the model as evaluation.json.
            alias: None: the version serves nothing yet.
            card: kept beside the model as README.md: what it is, for people.
            key: where a version was registered under this key, it is that one, and no new one.

        Raises:
            RegistryError: the folder is no model.
        """
        wanted = Registration(model_dir, run_id, metrics or {}, tags or {}, card, key)
        found, is_new = register_once(self._mlflow.client, self._mlflow.experiment_id, self._model.name, wanted)
        version = self._version(found)
        if evaluation is not None:
            self.log_evaluation(version, evaluation)
        if alias:
            self.set_alias(version, alias)
        logger.info("registered model=%s path=%s alias=%s new=%s", version, version.path, alias, is_new)
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
        self.log_text(version, json.dumps(evaluation, indent=2), name)

    def log_text(self, version: ModelVersion, text: str, name: str) -> None:
        """Keep a text beside the files of a version; it takes the place of an older one of that name."""
        logged = self.logged_model(version)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_text(text, encoding="utf-8")
            self._mlflow.client.log_model_artifact(logged, str(path))

    def logged_model(self, version: ModelVersion) -> str:
        """The id of the LoggedModel that holds a version's files."""
        tags = self._mlflow.client.get_model_version(version.name, version.version).tags
        if LOGGED_MODEL_TAG not in tags:
            raise RegistryError(f"model {version} was not registered by recthinker; register it again to evaluate it")
        return str(tags[LOGGED_MODEL_TAG])

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

    def _version(self, found: "MlflowVersion") -> ModelVersion:
        number = str(found.version)
        return ModelVersion(
            found.name, number, local_folder(str(found.source), self._downloads / f"{found.name}-{number}")
        )
