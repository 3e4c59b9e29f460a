"""An ended episode as rows of the tables `trajectories` and `recommendations`."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import pyarrow as pa

from recthinker.agent.calls import arguments
from recthinker.agent.episode import CalledTool, Episode
from recthinker.agent.types import Outcome, StopReason
from recthinker.tables.schemas import RECOMMENDATIONS
from recthinker.tools import Tool, ToolCall
from recthinker.tools.base import asked

SCHEMA = RECOMMENDATIONS.arrow_schema()
REASON_EVIDENCE = 3
"""Pieces of evidence that a reason names."""


def trajectory_row(episode: Episode, *, ds: str, versions: dict[str, str]) -> dict[str, Any]:
    """The row of `trajectories`; `versions` gets the labels' items added, as JSON, first = A."""
    scene, chat = episode.scene, episode.agent.chat
    ranking = episode.ranked_labels()
    starts = [*(turn.start for turn in episode.turns), len(episode.ids)]
    return {
        "ds": ds,
        "user_id": scene.request.user_id,
        "status": str(episode.outcome),
        "stop_reason": stop_text(episode),
        "turns": [
            {"role": turn.role, "text": chat.text(episode.ids[start:end])}
            for turn, start, end in zip(episode.turns, starts, starts[1:], strict=False)
        ],
        "token_ids": episode.ids,
        "agent_mask": episode.mask,
        "logprobs": episode.logprobs,
        "tool_calls": [
            tool_call(episode, called, chat.text(chat.segments(called.result.segments)), versions)
            for called in episode.calls
        ],
        "tokens": token_counts(episode),
        "ranking": [scene.item_ids[label] for label, _ in ranking],
        "scores": [score for _, score in ranking],
        "versions": list((versions | {"labels": label_text(episode)}).items()),
        "fingerprint": episode.fingerprint(versions.get("model", "")),
    }


def token_counts(episode: Episode) -> dict[str, int]:
    """Tokens of all requests, by kind."""
    tokens = episode.tokens
    return {"prompt": tokens.prompt, "cached": tokens.cached, "generated": tokens.generated}


def label_text(episode: Episode) -> str:
    """The labels' items as JSON, first = A."""
    return json.dumps(episode.scene.item_ids)


def stop_text(episode: Episode) -> str:
    """Why an episode ended, for people."""
    return f"{episode.stop_reason}: {episode.detail}" if episode.detail else str(episode.stop_reason)


def recommendation_table(
    episodes: Sequence[Episode], *, ds: str, model_version: str, run_id: str, top_n: int
) -> pa.Table:
    """The rows of `recommendations` of ended episodes, each user's together, rank 1 first."""
    columns: dict[str, list[Any]] = {name: [] for name in ("user_id", "rank", "item_id", "score", "source", "reason")}
    for episode in episodes:
        outcome = episode.outcome or Outcome.FALLBACK_ERROR
        ranked, item_ids = episode.ranked_labels()[:top_n], episode.scene.item_ids
        count = len(ranked)
        columns["user_id"] += [episode.scene.request.user_id] * count
        columns["rank"] += range(1, count + 1)
        columns["item_id"] += [item_ids[label] for label, _ in ranked]
        columns["score"] += [score for _, score in ranked]
        columns["source"] += [outcome.source] * count
        if outcome.is_fallback:
            columns["reason"] += [fallback_reason(episode)] * count
        else:
            columns["reason"] += reasons(episode, [label for label, _ in ranked])
    count = len(columns["rank"])
    columns |= {"ds": [ds] * count, "model_version": [model_version] * count, "run_id": [run_id] * count}
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in SCHEMA}, SCHEMA)


def reasons(episode: Episode, labels: Iterable[int]) -> list[str]:
    """What spoke for each of some candidates: the strongest evidence that the agent read of it."""
    tools = episode.agent.toolbox.tools
    # One without evidence may name no tool.
    called = [one for one in episode.calls if one.result.evidence]
    read = [(tuple(tools[one.call.name].evidence), one.result.evidence) for one in called]
    return [_reason(tuple((names, tuple(found[label])) for names, found in read if label in found)) for label in labels]


@lru_cache(maxsize=10_000)
def _reason(read: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]) -> str:
    """The same of the names and levels of each call's evidence; few of them differ over all users."""
    found = [(level, name) for names, levels in read for level, name in zip(levels, names, strict=True) if level]
    strongest = sorted(found, key=itemgetter(0), reverse=True)[:REASON_EVIDENCE]
    return "; ".join(f"{name} {level}/9" for level, name in strongest) or "no evidence found; ranked last among equals"


def fallback_reason(episode: Episode) -> str:
    """Why the candidate order was served."""
    return f"candidate order: {episode.stop_reason or StopReason.ERROR}".replace("_", " ")


def tool_call(episode: Episode, called: CalledTool, text: str, versions: dict[str, str]) -> dict[str, Any]:
    """A call as it stands in a row of `trajectories`; `text` is its result as people read it."""
    tool = episode.agent.toolbox.tools.get(called.call.name)
    was_done = called.result.is_valid
    return {
        "name": called.call.name,
        "arguments": json.dumps(arguments(called.call)),
        "result": text,
        "rows": called.result.rows,
        "ok": called.result.is_valid,
        "keys": _keys(episode, called.call, tool) if tool and was_done else [],
        "tables": _table_versions(tool, versions) if tool and was_done else [],
        "levels": tool.evidence if tool else [],
    }


def _keys(episode: Episode, call: ToolCall, tool: Tool) -> list[str]:
    """Ids that rows were looked up by: the user's, then those of the candidates that the call was about."""
    scene = episode.scene
    if tool.takes != "labels":
        return [scene.request.user_id]
    return [scene.request.user_id, *(scene.item_ids[label] for label in asked(call, scene))]


def _table_versions(tool: Tool, versions: dict[str, str]) -> list[tuple[str, int]]:
    """The snapshot's version of each table that a tool reads."""
    return [(name, int(versions[f"table:{name}"])) for name in tool.reads if f"table:{name}" in versions]
