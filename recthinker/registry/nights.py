"""A published night as an MLflow run: its figures, and some of its episodes as traces.

The run is found by its tags and used again, so that a night that is logged twice is there once. Table versions are tags
and not inputs of the run: what protects them is the night's manifest, for as long as its rows are kept
(`recthinker.upkeep.references`), and MLflow's runs stay for ever.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recthinker.registry.traces import set_traces

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

logger = logging.getLogger(__name__)

STAMPS = ("ds", "run_id", "model_version", "prompt_version")
"""Columns of the manifest that become tags."""


def log_night(
    client: "MlflowClient",
    experiment_id: str,
    manifest: Mapping[str, Any],
    episodes: Sequence[Mapping[str, Any]],
) -> str:
    """Log a night, or log it again; the id of its MLflow run.

    Args:
        client: of the tracking server.
        experiment_id: experiment of the run.
        manifest: a row of `run_manifest`, its maps as dicts.
        episodes: rows of `trajectories`, maps as dicts; each is a trace of the run, which has no others then.

    Raises:
        MlflowException: MLflow cannot be reached.
    """
    run_id = _run(client, experiment_id, manifest)
    _log_metrics(client, run_id, manifest)
    set_traces(client, experiment_id, run_id, manifest["published_at"], episodes)
    client.set_terminated(run_id, "FINISHED")
    logger.info("logged night ds=%s run_id=%s traces=%d", manifest["ds"], manifest["run_id"], len(episodes))
    return run_id


def metrics_of(manifest: Mapping[str, Any]) -> dict[str, float]:
    """A manifest's figures by MLflow's names: `outcomes.ranked`, `seconds.write_snapshot`, `tokens.cached`."""
    stages = {f"stage_seconds.{name}": seconds for name, seconds in manifest["seconds"].items()}
    outcomes = {f"outcomes.{name}": float(count) for name, count in manifest["outcomes"].items()}
    rows = {f"rows.{name}": float(count) for name, count in manifest["row_counts"].items()}
    return {"users": float(manifest["users"]), **outcomes, **rows, **stages, **(manifest["metrics"] or {})}


def _run(client: "MlflowClient", experiment_id: str, manifest: Mapping[str, Any]) -> str:
    """The night's run, tagged; a new one where there is none."""
    wanted = " and ".join(f"tags.{name} = '{manifest[name]}'" for name in ("ds", "run_id"))
    found = client.search_runs([experiment_id], f"tags.kind = 'night' and {wanted}", max_results=1)
    versions = {f"table.{name}": str(version) for name, version in manifest["table_versions"].items()}
    tags = {"kind": "night", **{name: str(manifest[name]) for name in STAMPS}, **versions}
    if not found:
        name = f"night {manifest['ds']}"
        start = int(manifest["published_at"].timestamp() * 1000)
        run = client.create_run(experiment_id, start_time=start, run_name=name, tags=tags)
        return str(run.info.run_id)
    run_id = str(found[0].info.run_id)
    for name, value in tags.items():
        client.set_tag(run_id, name, value)
    return run_id


def _log_metrics(client: "MlflowClient", run_id: str, manifest: Mapping[str, Any]) -> None:
    from mlflow.entities import Metric

    # At the time of the publish: MLflow keeps equal points once.
    at_ms = int(manifest["published_at"].timestamp() * 1000)
    client.log_batch(run_id, metrics=[Metric(name, value, at_ms, 0) for name, value in metrics_of(manifest).items()])
