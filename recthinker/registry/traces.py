"""Recorded episodes as MLflow traces: a span for the episode, under it one for each turn and each tool call.

Traces hold what a row of `trajectories` holds. It holds no times: a trace stands at the time of the publish, and its
spans are a microsecond long, in their order. MLflow sends traces to the address that is set for the process, in threads
that keep no order, so that it is told otherwise for as long as this takes.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recthinker.errors import RegistryError
from recthinker.registry.steps import episode_steps

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

SPAN_NS = 1_000
"""Length of a span."""
IN_THREADS = "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"
MOST_TRACES = 500
"""Traces of one run that are looked for."""


def replace_traces(
    client: "MlflowClient",
    experiment_id: str,
    tracking_uri: str,
    run_id: str,
    manifest: Mapping[str, Any],
    episodes: Sequence[Mapping[str, Any]],
) -> None:
    """Make the traces of an MLflow run those of `episodes`, rows of `trajectories`, maps as dicts.

    Raises:
        MlflowException: MLflow cannot be reached.
        RegistryError: it did not keep all of them.
    """
    if old := [trace.info.trace_id for trace in _traces(client, experiment_id, run_id)]:
        client.delete_traces(experiment_id, trace_ids=old)
    start_ns = int(manifest["published_at"].timestamp() * 1_000_000) * 1_000
    with _sent_to(tracking_uri):
        for row in episodes:
            _trace(client, experiment_id, run_id, row, start_ns)
    kept = len(_traces(client, experiment_id, run_id))
    if kept != len(episodes):
        raise RegistryError(
            f"MLflow at {tracking_uri} should keep {len(episodes)} traces of night {manifest['ds']}, found {kept}; run "
            "jobs.log_night again"
        )


def _traces(client: "MlflowClient", experiment_id: str, run_id: str) -> Sequence[Any]:
    found: Sequence[Any] = client.search_traces(
        locations=[experiment_id], run_id=run_id, max_results=MOST_TRACES, include_spans=False
    )
    return found


@contextmanager
def _sent_to(tracking_uri: str) -> Iterator[None]:
    """Traces go to `tracking_uri`, each when it ends."""
    import mlflow

    before, in_threads = mlflow.get_tracking_uri(), os.environ.pop(IN_THREADS, None)
    os.environ[IN_THREADS] = "false"
    mlflow.set_tracking_uri(tracking_uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        os.environ.pop(IN_THREADS)
        if in_threads is not None:
            os.environ[IN_THREADS] = in_threads


def _trace(client: "MlflowClient", experiment_id: str, run_id: str, row: Mapping[str, Any], start_ns: int) -> None:
    """One episode as a trace."""
    from mlflow.entities import SpanType
    from mlflow.tracing.constant import SpanAttributeKey

    steps = episode_steps(row)
    end_ns = start_ns + max(len(steps), 1) * SPAN_NS
    versions = {f"version.{name}": value for name, value in row["versions"].items() if name != "labels"}
    root = client.start_trace(
        "episode",
        span_type=SpanType.AGENT,
        inputs={"user_id": row["user_id"], "candidates": json.loads(row["versions"].get("labels", "[]"))},
        attributes={"fingerprint": row["fingerprint"], **versions},
        tags={"user_id": row["user_id"], "ds": row["ds"], "outcome": row["status"]},
        experiment_id=experiment_id,
        start_time_ns=start_ns,
        run_id=run_id,
    )
    root.set_attribute(SpanAttributeKey.CHAT_USAGE, _usage(row["tokens"]))
    for place, step in enumerate(steps):
        span = client.start_span(
            step.name,
            root.trace_id,
            root.span_id,
            span_type=SpanType.TOOL if step.is_tool else SpanType.LLM,
            inputs=step.inputs,
            attributes=step.attributes,
            start_time_ns=start_ns + place * SPAN_NS,
        )
        client.end_span(
            root.trace_id,
            span.span_id,
            step.outputs,
            status="OK" if step.is_ok else "ERROR",
            end_time_ns=start_ns + (place + 1) * SPAN_NS,
        )
    outcome = {name: row[name] for name in ("status", "stop_reason", "ranking", "scores")}
    status = "ERROR" if row["status"].startswith("fallback") else "OK"
    client.end_trace(root.trace_id, outcome, status=status, end_time_ns=end_ns)


def _usage(tokens: Mapping[str, int]) -> dict[str, int]:
    """Tokens of all requests, by the names that MLflow adds up."""
    return {
        "input_tokens": tokens["prompt"],
        "cache_read_input_tokens": tokens["cached"],
        "output_tokens": tokens["generated"],
        "total_tokens": tokens["prompt"] + tokens["generated"],
    }
