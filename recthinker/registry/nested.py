"""A run under another, of which all is known when it is written: it is there whole, or is written anew."""

import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from recthinker.registry.runs import Run

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

PARENT_TAG = "mlflow.parentRunId"
NOTE_TAG = "mlflow.note.content"
"""What MLflow shows as a run's description."""
CONTENT_TAG = "recthinker.content"
"""Hash of all that a run tells; set last, so that one without it was cut off."""
BATCH = 1000
"""Metrics that MLflow takes in a call."""

Curves = Mapping[str, Sequence[tuple[int, float]]]
"""(step, value), by name."""


@dataclass(frozen=True, slots=True)
class NestedRun:
    """What a run tells."""

    name: str
    """Of the run, and its tag `stage`: one of each under a parent."""
    summary: str
    """Its description."""
    metrics: Mapping[str, float]
    """A metric `seconds` is how long it took."""
    params: Mapping[str, Any] = field(default_factory=dict)
    curves: Curves = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    """Artifacts, by file name."""
    tables: Mapping[str, int] = field(default_factory=dict)
    """Delta version by table read."""
    cut: str | None = None
    """Training cut that these are of."""
    tags: Mapping[str, str] = field(default_factory=dict)
    model_id: str | None = None
    """LoggedModel that `model_metrics` are of as well."""
    model_metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of all of it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()[:16]


def write_nested(client: "MlflowClient", experiment_id: str, parent: str, run: NestedRun) -> str:
    """The id of the run of that name under `parent`; one that tells something else is taken away first.

    Raises:
        MlflowException: MLflow cannot be reached, or does not take it.
    """
    wanted = f"tags.`{PARENT_TAG}` = '{parent}' and tags.stage = '{run.name}'"
    for found in client.search_runs([experiment_id], wanted):
        if found.data.tags.get(CONTENT_TAG) == run.digest:
            return str(found.info.run_id)
        client.delete_run(found.info.run_id)
    above = client.get_run(parent).data.tags
    whose: dict[str, str] = {name: above[name] for name in ("ds", "run_id") if name in above}
    tags = whose | {PARENT_TAG: parent, "kind": "retrain_stage", "stage": run.name, NOTE_TAG: run.summary, **run.tags}
    now_ms = int(time.time() * 1000)
    started = now_ms - int(1000 * run.metrics.get("seconds", 0))
    created = client.create_run(experiment_id, start_time=started, run_name=run.name, tags=tags)
    run_id = str(created.info.run_id)
    _fill(client, run_id, run, now_ms)
    client.set_terminated(run_id, "FINISHED", now_ms)
    client.set_tag(run_id, CONTENT_TAG, run.digest)
    return run_id


def metric_name(name: str) -> str:
    """A name as MLflow takes it: `ndcg@10` is `ndcg_at_10`."""
    return re.sub(r"[^\w\-./ ]", "_", name.replace("@", "_at_"))


def _fill(client: "MlflowClient", run_id: str, run: NestedRun, now_ms: int) -> None:
    written = Run(client, run_id)
    written.log_params(run.params)
    written.log_table_versions(run.tables, run.cut)
    for name, text in run.texts.items():
        client.log_text(run_id, text, name)
    metrics = _metrics(run, now_ms)
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + BATCH])


def _metrics(run: NestedRun, now_ms: int) -> "list[Metric]":
    """The figures, then the curves; a figure that is named as a curve is `<name>_final`."""
    from mlflow.entities import Metric

    named = {f"{name}_final" if name in run.curves else name: value for name, value in run.metrics.items()}
    points: list[tuple[str, int, float, str | None]] = [(name, 0, value, None) for name, value in named.items()]
    points += [(name, 0, value, run.model_id) for name, value in run.model_metrics.items()]
    points += [(name, step, value, None) for name, curve in run.curves.items() for step, value in curve]
    return [
        Metric(metric_name(name), float(value), now_ms, int(step), model_id=model_id)
        for name, step, value, model_id in points
    ]
