"""Recorded episodes as MLflow traces: a span for the episode, under it one for each turn and each tool call.

Traces hold what a row of `trajectories` holds. It holds no times: a trace stands at the time of the publish, and its
spans are a microsecond long, in their order. A trace's id follows from its run and its episode: an episode that is
logged again is the trace that is there, with what people noted on it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from recthinker.registry.steps import Step, episode_steps

if TYPE_CHECKING:
    from mlflow.entities import Span, TraceInfo
    from mlflow.tracking import MlflowClient

SPAN_NS = 1_000
"""Length of a span."""
MOST_TRACES = 500
"""Traces of one run that are looked for."""
PREVIEWED = 5
"""Items of a ranking that a list of traces shows."""
Row = Mapping[str, Any]
"""Of `trajectories`, maps as dicts."""


def set_traces(
    client: "MlflowClient", experiment_id: str, run_id: str, published_at: datetime, episodes: Sequence[Row]
) -> None:
    """Make the traces of an MLflow run those of `episodes`: others go, those that are there stay as they are.

    Raises:
        MlflowException: MLflow cannot be reached, or does not take them.
    """
    # Of this client, not of the process: MLflow's functions would send traces to the address that is set for all of it.
    from mlflow.tracing.client import TracingClient

    tracing = TracingClient(client.tracking_uri)
    there = client.search_traces(locations=[experiment_id], run_id=run_id, max_results=MOST_TRACES, include_spans=False)
    wanted = {_trace_id(run_id, row): row for row in episodes}
    kept = {trace.info.trace_id for trace in there} & wanted.keys()
    if gone := [trace.info.trace_id for trace in there if trace.info.trace_id not in kept]:
        client.delete_traces(experiment_id, trace_ids=gone)
    at_ms = int(published_at.timestamp() * 1000)
    for trace_id, row in wanted.items():
        if trace_id not in kept:
            tracing.log_spans(experiment_id, _spans(row, trace_id, at_ms * 1_000_000))
            # Last: this is what makes it a trace of the run, so that one cut off here is logged anew.
            tracing.start_trace(_info(row, trace_id, experiment_id, run_id, at_ms))


def _trace_id(run_id: str, row: Row) -> str:
    text = json.dumps([run_id, row["user_id"], row["status"], row["fingerprint"]])
    return f"tr-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _info(row: Row, trace_id: str, experiment_id: str, run_id: str, at_ms: int) -> "TraceInfo":
    from mlflow.entities import TraceInfo, TraceLocation, TraceState
    from mlflow.tracing.constant import TraceMetadataKey, TraceTagKey

    return TraceInfo(
        trace_id=trace_id,
        trace_location=TraceLocation.from_experiment_id(experiment_id),
        request_time=at_ms,
        state=TraceState.OK if _whole(row).is_ok else TraceState.ERROR,
        request_preview=f"user {row['user_id']}, {len(row['ranking'])} candidates",
        response_preview=f"{row['status']}: {', '.join(row['ranking'][:PREVIEWED])}",
        execution_duration=0,
        trace_metadata={
            TraceMetadataKey.SOURCE_RUN: run_id,
            TraceMetadataKey.TOKEN_USAGE: json.dumps(_usage(row["tokens"])),
        },
        tags={
            TraceTagKey.TRACE_NAME: "episode",
            "user_id": row["user_id"],
            "ds": row["ds"],
            "outcome": row["status"],
        },
    )


def _spans(row: Row, trace_id: str, start_ns: int) -> "list[Span]":
    """The span of the episode, then those of its steps."""
    from mlflow.entities import Span, SpanType
    from mlflow.tracing.constant import SpanAttributeKey

    steps = episode_steps(row)
    end_ns = start_ns + max(len(steps), 1) * SPAN_NS
    spans = [_span(_whole(row), SpanType.AGENT, (start_ns, end_ns))]
    for place, step in enumerate(steps):
        begin = start_ns + place * SPAN_NS
        kind = SpanType.TOOL if step.is_tool else SpanType.LLM
        spans.append(_span(step, kind, (begin, begin + SPAN_NS)))
    for number, span in enumerate(spans, start=1):
        parent = f"{1:016x}" if number > 1 else None
        span |= {"trace_id": trace_id, "span_id": f"{number:016x}", "parent_span_id": parent}
        span["attributes"][SpanAttributeKey.REQUEST_ID] = json.dumps(trace_id)
    return [Span.from_dict(span) for span in spans]


def _span(step: Step, kind: str, times: tuple[int, int]) -> dict[str, Any]:
    """A span as `Span.from_dict` reads it, but for its ids; times in nanoseconds."""
    from mlflow.tracing.constant import SpanAttributeKey

    attributes = {
        **step.attributes,
        SpanAttributeKey.SPAN_TYPE: kind,
        SpanAttributeKey.INPUTS: step.inputs,
        SpanAttributeKey.OUTPUTS: step.outputs,
    }
    return {
        "name": step.name,
        "start_time_unix_nano": times[0],
        "end_time_unix_nano": times[1],
        "status": {"code": "OK" if step.is_ok else "ERROR", "message": ""},
        "attributes": {name: json.dumps(value) for name, value in attributes.items()},
    }


def _whole(row: Row) -> Step:
    """The episode as one step."""
    from mlflow.tracing.constant import SpanAttributeKey

    versions = {f"version.{name}": value for name, value in row["versions"].items() if name != "labels"}
    return Step(
        name="episode",
        inputs={"user_id": row["user_id"], "candidates": json.loads(row["versions"].get("labels", "[]"))},
        outputs={name: row[name] for name in ("status", "stop_reason", "ranking", "scores")},
        attributes={
            "fingerprint": row["fingerprint"],
            **versions,
            SpanAttributeKey.CHAT_USAGE: _usage(row["tokens"]),
        },
        is_ok=not row["status"].startswith("fallback"),
    )


def _usage(tokens: Mapping[str, int]) -> dict[str, int]:
    """Tokens of all requests, by the names that MLflow adds up."""
    return {
        "input_tokens": tokens["prompt"],
        "cache_read_input_tokens": tokens["cached"],
        "output_tokens": tokens["generated"],
        "total_tokens": tokens["prompt"] + tokens["generated"],
    }
