"""One MLflow run: what a training or an evaluation logs."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recthinker.tables.schemas import LANDING

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput
    from mlflow.tracking import MlflowClient

TOUCHED_TAG = "recthinker.touched_ms"
"""Tag of a run that goes on over several jobs: when one of them last logged, in ms since 1970."""
PARAMS_BATCH = 100
"""Parameters that MLflow takes in a call."""
LANDING_NAMES = frozenset(table.name for table in LANDING)


class Run:
    """An MLflow run that is going on."""

    def __init__(self, client: "MlflowClient", run_id: str) -> None:
        self._client = client
        self.run_id = run_id

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Settings of the run; nested mappings become dotted keys."""
        from mlflow.entities import Param

        entries = [Param(key, str(value)) for key, value in _flat(params)]
        for start in range(0, len(entries), PARAMS_BATCH):
            self._client.log_batch(self.run_id, params=entries[start : start + PARAMS_BATCH])

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Figures of one step, in one call."""
        from mlflow.entities import Metric

        now_ms = int(time.time() * 1000)
        entries = [Metric(key, float(value), now_ms, step) for key, value in metrics.items()]
        self._client.log_batch(self.run_id, metrics=entries)

    def touch(self) -> None:
        """Tell that the run still goes on."""
        self._client.set_tag(self.run_id, TOUCHED_TAG, now_ms())

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """A file, kept with the run."""
        self._client.log_artifact(self.run_id, str(path), folder)

    def log_artifacts(self, path: Path, folder: str | None = None) -> None:
        """All files of a folder, kept with the run."""
        self._client.log_artifacts(self.run_id, str(path), folder)

    def log_table_versions(self, versions: Mapping[str, int], cut: str | None = None) -> None:
        """The Delta tables that the run read, at their versions, as the run's inputs; upkeep keeps these versions.

        Args:
            versions: by table.
            cut: name of the training cut whose tables they are, landing tables aside; None: the warehouse's.
        """
        if versions:
            self._client.log_inputs(self.run_id, datasets=[_dataset(*pair, cut) for pair in versions.items()])


def now_ms() -> str:
    """The time as tags hold it, in ms since 1970."""
    return str(int(time.time() * 1000))


@contextmanager
def started_run(client: "MlflowClient", experiment_id: str, name: str, tags: Mapping[str, str]) -> Iterator[Run]:
    """A new run, ended as FINISHED, or as FAILED when the body raises."""
    run_id = client.create_run(experiment_id, run_name=name, tags=dict(tags)).info.run_id
    try:
        yield Run(client, run_id)
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")


def _dataset(table: str, version: int, cut: str | None) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput

    source: dict[str, Any] = {"table": table, "version": version}
    if cut is None or table in LANDING_NAMES:
        return DatasetInput(Dataset(table, f"v{version}", "delta", json.dumps(source)))
    # MLflow takes equal names and digests for one dataset: the tables of a cut need names of their own.
    return DatasetInput(Dataset(f"{cut}/{table}", f"v{version}", "delta", json.dumps({**source, "cut": cut})))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """`{"a": {"b": 1}}` as [("a.b", 1)]."""
    pairs: list[tuple[str, Any]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            pairs.append((f"{prefix}{key}", value))
    return pairs
