"""The MLflow that settings name: a server, or a database file of our own; nothing is made before it is needed."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from recthinker.settings import Settings

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


class Tracking:
    """The client, and the experiment that all runs belong to."""

    def __init__(self, settings: Settings) -> None:
        self._experiment = settings.registry.experiment
        self._home = settings.paths.mlflow.absolute()
        self.uri = settings.registry.tracking_uri or f"sqlite:///{self._database}"

    def exists(self) -> bool:
        """Whether there is an MLflow at all; spares a reader the making of an empty one."""
        return self.uri != f"sqlite:///{self._database}" or self._database.is_file()

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's client."""
        # Here and not above: importing MLflow takes seconds, and its first use of a database migrates it.
        from mlflow.tracking import MlflowClient

        self._home.mkdir(parents=True, exist_ok=True)
        return MlflowClient(self.uri)

    @cached_property
    def experiment_id(self) -> str:
        """The experiment's id; it is made where it is missing."""
        found = self.client.get_experiment_by_name(self._experiment)
        if found:
            return str(found.experiment_id)
        # A server keeps artifacts where it was told to; the local database keeps them beside itself.
        location = (self._home / "artifacts").as_uri() if self.uri.startswith("sqlite") else None
        return str(self.client.create_experiment(self._experiment, artifact_location=location))

    @property
    def _database(self) -> Path:
        return self._home / "mlflow.db"
