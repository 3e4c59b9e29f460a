"""The steps of a recorded episode: what the agent read and wrote turn by turn, and what its tools were asked and said.

Made from a row of `trajectories` alone; no MLflow here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of the agent, or one call of a tool."""

    name: str
    inputs: Any
    """What the agent read since its last turn; of a tool, its arguments."""
    outputs: Any
    """What the agent wrote; of a tool, its result as the agent read it."""
    attributes: dict[str, Any]
    """Of a turn `tokens.context` and `tokens.written`; of a call `rows`."""
    is_tool: bool = False
    is_ok: bool = True
    """False for a call with arguments that the tool could not take."""


def episode_steps(row: Mapping[str, Any]) -> list[Step]:
    """The steps of an episode, in order; none where it never began.

    The n-th tool turn is the answer to the n-th call; one more, at the end, is the demand to answer at once, with the
    answer itself.

    Args:
        row: of `trajectories`.
    """
    calls, written = iter(row["tool_calls"]), iter(_written(row["agent_mask"]))
    steps, read = [], ""
    for turn in row["turns"]:
        if turn["role"] == "agent":
            steps.append(Step("turn", read, turn["text"], _tokens(next(written, None))))
        elif turn["role"] == "tool":
            call = next(calls, None)
            steps.append(_call(call) if call else _forced(turn["text"], next(written, None)))
        read = turn["text"]
    return steps


def _forced(text: str, stretch: tuple[int, int] | None) -> Step:
    return Step("made to answer", None, text, _tokens(stretch))


def _call(call: Mapping[str, Any]) -> Step:
    arguments = json.loads(call["arguments"] or "{}")
    return Step(call["name"], arguments, call["result"], {"rows": call["rows"]}, is_tool=True, is_ok=call["ok"])


def _written(mask: list[int]) -> list[tuple[int, int]]:
    """Each stretch that the model wrote: tokens before it, tokens of it."""
    stretches, place = [], 0
    for is_written, tokens in groupby(mask):
        length = sum(1 for _ in tokens)
        if is_written:
            stretches.append((place, length))
        place += length
    return stretches


def _tokens(stretch: tuple[int, int] | None) -> dict[str, int]:
    return {"tokens.context": stretch[0], "tokens.written": stretch[1]} if stretch else {}
