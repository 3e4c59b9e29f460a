"""One MLflow run: what a training or an evaluation logs."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


class Run:
    """An MLflow run that is going on."""

    def __init__(self, client: "MlflowClient", run_id: str) -> None:
        self._client = client
        self.run_id = run_id

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Settings of the run; nested mappings become dotted keys."""
        from mlflow.entities import Param

        entries = [Param(key, str(value)) for key, value in _flat(params)]
        self._client.log_batch(self.run_id, params=entries)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Figures of one step, in one call."""
        from mlflow.entities import Metric

        now_ms = int(time.time() * 1000)
        entries = [Metric(key, float(value), now_ms, step) for key, value in metrics.items()]
        self._client.log_batch(self.run_id, metrics=entries)

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """A file, kept with the run."""
        self._client.log_artifact(self.run_id, str(path), folder)

    def log_artifacts(self, path: Path, folder: str | None = None) -> None:
        """All files of a folder, kept with the run."""
        self._client.log_artifacts(self.run_id, str(path), folder)

    def log_table_versions(self, versions: Mapping[str, int]) -> None:
        """The Delta tables that the run read, at their versions, as the run's inputs."""
        from mlflow.entities import Dataset, DatasetInput

        inputs = [
            DatasetInput(Dataset(name, f"v{version}", "delta", json.dumps({"table": name, "version": version})))
            for name, version in versions.items()
        ]
        self._client.log_inputs(self.run_id, datasets=inputs)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """`{"a": {"b": 1}}` as [("a.b", 1)]."""
    pairs: list[tuple[str, Any]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", value))
    return pairs
