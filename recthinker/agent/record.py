"""An ended episode as rows of the tables `trajectories` and `recommendations`."""

import json
from typing import Any

from recthinker.agent.calls import arguments
from recthinker.agent.episode import CalledTool, Episode
from recthinker.agent.types import Outcome, StopReason
from recthinker.tools import Tool, ToolCall
from recthinker.tools.base import asked

REASON_EVIDENCE = 3
"""Pieces of evidence that a reason names."""


def trajectory_row(episode: Episode, *, ds: str, versions: dict[str, str]) -> dict[str, Any]:
    """The row of `trajectories`; `versions` gets the labels' items added, as JSON, first = A."""
    request, items, chat = episode.scene.request, episode.scene.items, episode.agent.chat
    ranking = episode.ranking()
    labels = [items.item_id(int(code)) for code in episode.scene.candidates]
    starts = [*(turn.start for turn in episode.turns), len(episode.ids)]
    return {
        "ds": ds,
        "user_id": request.user_id,
        "status": str(episode.outcome),
        "stop_reason": f"{episode.stop_reason}: {episode.detail}" if episode.detail else str(episode.stop_reason),
        "turns": [
            {"role": turn.role, "text": chat.text(episode.ids[start:end])}
            for turn, start, end in zip(episode.turns, starts, starts[1:], strict=False)
        ],
        "token_ids": episode.ids,
        "agent_mask": episode.mask,
        "logprobs": episode.logprobs,
        "tool_calls": [_tool_call(episode, called, versions) for called in episode.calls],
        "tokens": {
            "prompt": episode.tokens.prompt,
            "cached": episode.tokens.cached,
            "generated": episode.tokens.generated,
        },
        "ranking": [items.item_id(int(request.candidates[place])) for place, _ in ranking],
        "scores": [score for _, score in ranking],
        "versions": list((versions | {"labels": json.dumps(labels)}).items()),
        "fingerprint": episode.fingerprint(versions.get("model", "")),
    }


def recommendation_rows(
    episode: Episode, *, ds: str, model_version: str, run_id: str, top_n: int
) -> list[dict[str, Any]]:
    """The user's rows of `recommendations`, rank 1 first."""
    request, items = episode.scene.request, episode.scene.items
    label_of = {int(place): label for label, place in enumerate(episode.scene.order)}
    outcome = episode.outcome or Outcome.FALLBACK_ERROR
    return [
        {
            "ds": ds,
            "user_id": request.user_id,
            "rank": rank,
            "item_id": items.item_id(int(request.candidates[place])),
            "score": score,
            "source": outcome.source,
            "reason": fallback_reason(episode) if outcome.is_fallback else reason(episode, label_of[place]),
            "model_version": model_version,
            "run_id": run_id,
        }
        for rank, (place, score) in enumerate(episode.ranking()[:top_n], start=1)
    ]


def reason(episode: Episode, label: int) -> str:
    """What spoke for a candidate: the strongest evidence that the agent read of it."""
    tools = episode.agent.toolbox.tools
    found = [
        (level, name)
        for called in episode.calls
        if label in called.result.evidence
        for level, name in zip(called.result.evidence[label], tools[called.call.name].evidence, strict=True)
        if level
    ]
    strongest = sorted(found, key=lambda pair: -pair[0])[:REASON_EVIDENCE]
    return "; ".join(f"{name} {level}/9" for level, name in strongest) or "no evidence found; ranked last among equals"


def fallback_reason(episode: Episode) -> str:
    """Why the candidate order was served."""
    return f"candidate order: {episode.stop_reason or StopReason.ERROR}".replace("_", " ")


def _tool_call(episode: Episode, called: CalledTool, versions: dict[str, str]) -> dict[str, Any]:
    chat = episode.agent.chat
    tool = episode.agent.toolbox.tools.get(called.call.name)
    was_done = called.result.is_valid
    return {
        "name": called.call.name,
        "arguments": json.dumps(arguments(called.call)),
        "result": chat.text(chat.segments(called.result.segments)),
        "rows": called.result.rows,
        "ok": called.result.is_valid,
        "keys": _keys(episode, called.call, tool) if tool and was_done else [],
        "tables": _table_versions(tool, versions) if tool and was_done else [],
        "levels": tool.evidence if tool else [],
    }


def _keys(episode: Episode, call: ToolCall, tool: Tool) -> list[str]:
    """Ids that rows were looked up by: the user's, then those of the candidates that the call was about."""
    scene = episode.scene
    codes = scene.candidates[asked(call, scene)] if tool.takes == "labels" else ()
    return [scene.request.user_id, *(scene.items.item_id(int(code)) for code in codes)]


def _table_versions(tool: Tool, versions: dict[str, str]) -> list[tuple[str, int]]:
    """The snapshot's version of each table that a tool reads."""
    return [(name, int(versions[f"table:{name}"])) for name in tool.reads if f"table:{name}" in versions]
