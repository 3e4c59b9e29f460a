"""From the agent's one-letter labels back to titles, from a tool's result to its levels. No tables here.

Labels are the capital letters A, B, C, ... in the order in which an episode showed its candidates.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LABEL = re.compile(r"(?<![\w'])[A-Z](?![\w'])")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text, or one label with the title it stands for."""

    text: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a tool said of one candidate."""

    label: str
    title: str
    levels: tuple[int, ...]
    """0 to 9, in the order of the tool's evidence names; 9 = as strong as the strongest candidate's."""
    note: str
    """Words that follow the levels (a category, a relation); empty where there are none."""


def label_items(versions: Mapping[str, str]) -> dict[str, str]:
    """Label to item id, from `labels` in a trajectory's versions; empty where the episode never began."""
    items: list[str] = json.loads(versions.get("labels", "[]"))
    return {chr(ord("A") + place): item_id for place, item_id in enumerate(items)}


def translate(text: str, titles: Mapping[str, str]) -> list[Piece]:
    """`text` in pieces, each label that stands alone as a word with its title; `titles` is by label."""
    pieces, end = [], 0
    for match in LABEL.finditer(text):
        if match[0] in titles:
            pieces += [Piece(text[end : match.start()])] if match.start() > end else []
            pieces.append(Piece(match[0], titles[match[0]]))
            end = match.end()
    return [*pieces, Piece(text[end:])] if end < len(text) else pieces


def read_evidence(levels: Sequence[str], result: str, titles: Mapping[str, str]) -> list[Evidence]:
    """The candidates that a result speaks of, in its order; empty for a result that speaks of none.

    A candidate is a label followed at once by as many levels as the tool gives, named in `levels`; words up to the next
    are its note.
    """
    found = [match for match in _pattern(len(levels)).finditer(result) if match[1] in titles] if levels else []
    ends = [*(match.start() for match in found[1:]), len(result)][: len(found)]
    return [
        Evidence(
            match[1],
            titles[match[1]],
            tuple(map(int, match[2].split())),
            result[match.end() : end].strip(" ,;|."),
        )
        for match, end in zip(found, ends, strict=True)
    ]


def _pattern(levels: int) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)([A-Z])((?:\s+\d){{{levels}}})(?!\S)")
