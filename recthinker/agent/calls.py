"""A tool call as JSON and back, and a tool as the JSON schema that a model was taught to read.

Source: Hermes function calling (github.com/NousResearch/Hermes-Function-Calling), as Qwen's models write it.
"""

import json
import string
from typing import Any

from recthinker.agent.types import Malformed
from recthinker.tools import Tool, ToolCall

LABELS = string.ascii_uppercase
"""A candidate's label is one of these letters, in the order shown."""
MAX_NAME = 40
"""Characters of a tool's name that are kept, whatever the model made up."""


def arguments(call: ToolCall) -> dict[str, Any]:
    """The arguments that a call gives, by name."""
    given: dict[str, Any] = {}
    if call.labels:
        given["labels"] = [LABELS[label] for label in call.labels]
    if call.limit is not None:
        given["limit"] = call.limit
    return given


def call_text(call: ToolCall) -> str:
    """A call as the model should write it."""
    return json.dumps({"name": call.name, "arguments": arguments(call)})


def read_call(text: str) -> ToolCall | Malformed:
    """The call that a model wrote; which tools there are, and what they take, is the toolbox's to judge."""
    try:
        call = json.loads(text)
    except (ValueError, RecursionError):  # brackets nested by the hundred
        return Malformed("the call is not valid JSON")
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return Malformed("the call names no tool")
    given = call.get("arguments", {})
    if not isinstance(given, dict) or not given.keys() <= {"labels", "limit"}:
        return Malformed("the call's arguments are neither labels nor one limit")
    labels, limit = given.get("labels", []), given.get("limit")
    if not isinstance(labels, list) or not all(_is_label(label) for label in labels):
        return Malformed("labels are a list of candidates' letters")
    if limit is not None and type(limit) is not int:  # true and false are ints too
        return Malformed("limit is a whole number")
    return ToolCall(call["name"][:MAX_NAME], tuple(LABELS.index(label) for label in labels), limit)


def schema(tool: Tool) -> dict[str, Any]:
    """A tool as a function with a JSON schema of its arguments."""
    levels = f" Levels of each candidate, in order: {', '.join(tool.evidence)}." if tool.evidence else ""
    properties = {
        "nothing": {},
        "labels": {
            "labels": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Labels of the candidates asked about; all if left out.",
            }
        },
        "limit": {"limit": {"type": "integer", "minimum": 1, "description": "Most rows wanted."}},
    }[tool.takes]
    parameters = {"type": "object", "properties": properties, "required": []}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description + levels, "parameters": parameters},
    }


def _is_label(label: object) -> bool:
    return isinstance(label, str) and len(label) == 1 and label in LABELS
