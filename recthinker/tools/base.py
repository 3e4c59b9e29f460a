"""What a tool is: a lookup whose result changes what the model reads next.

A result is made of segments (labels, levels, words) that a chat format turns into tokens, so that text from the data
can never become a control token. Levels say how strong evidence is, 9 = as strong as the strongest candidate's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import ClassVar, Literal, NamedTuple, Protocol

import numpy as np

from recthinker.errors import ToolError
from recthinker.lookup import ItemRows, RequestRow
from recthinker.settings import ToolSettings
from recthinker.tools.compiled import compiled

MAX_LEVEL = 9


class Label(NamedTuple):
    """A candidate, by its place in the order shown: 0 = A."""

    place: int


class Level(NamedTuple):
    """A strength from 0 to 9."""

    value: int


class Words(NamedTuple):
    """Text, from the data or ours."""

    text: str


kind = lru_cache(maxsize=10_000)(Words)
"""The name of a kind of things, such as a category or a relation; made once, as a result holds dozens."""
Segment = Label | Level | Words

Takes = Literal["nothing", "labels", "limit"]
"""Kinds of arguments."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as the agent wrote it."""

    name: str
    labels: tuple[int, ...] = ()
    """Candidates asked about; empty = all."""
    limit: int | None = None
    """Rows asked for, where the tool takes a limit."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave."""

    segments: tuple[Segment, ...]
    rows: int
    """Rows found."""
    evidence: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Levels by label, in the order of the tool's `evidence`."""
    is_valid: bool = True
    """False for a call that could not be carried out; the segments then say why."""
    fault: str = ""
    """What the tool itself broke with, for people; empty where it did not, whatever the agent asked for."""


@dataclass(frozen=True)
class Scene:
    """What a tool may look at: the catalogue and the served user's own row, nothing of anybody else."""

    items: ItemRows
    request: RequestRow
    order: np.ndarray
    """Places in `request.candidates`, in the order shown: label i is candidate `order[i]`."""

    @cached_property
    def candidates(self) -> np.ndarray:
        """Item codes by label, (N,)."""
        codes: np.ndarray = self.request.candidates[self.order]
        return codes

    @cached_property
    def item_ids(self) -> list[str]:
        """Item ids by label."""
        return self.items.item_ids(self.candidates)


class Tool(Protocol):
    """A tool: one class, one file, named in the setting `tools.enabled`. docs/tools.md says how to write one."""

    name: ClassVar[str]
    description: ClassVar[str]
    """What it tells, in a sentence that the agent may read."""
    takes: ClassVar[Takes]
    evidence: ClassVar[tuple[str, ...]]
    """Names of the levels it gives a label, in a person's words; empty if it gives none."""
    reads: ClassVar[tuple[str, ...]]
    """Feature tables whose rows it looks at, besides the candidates; recorded with each call."""

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        """Look up and say what was found, strongest first."""
        ...


@compiled
def levels(scores: np.ndarray) -> np.ndarray:
    """Scores as levels, (N,) ints: 9 for the highest, 0 for none, between them in proportion to the square root, so
    that weak evidence can still be told apart. NaN is none.
    """
    found, top = np.zeros(len(scores), np.int64), 0.0
    for score in scores:
        if score > top:  # NaN is no score
            top = score
    for label, score in enumerate(scores):
        if score > 0:
            found[label] = np.int64(np.ceil(MAX_LEVEL * np.sqrt(score / top) - 1e-9))
    return found


def asked(call: ToolCall, scene: Scene) -> Sequence[int]:
    """The labels that a call is about, in their order.

    Raises:
        ToolError: a label that no candidate has.
    """
    count = len(scene.order)
    if any(label >= count for label in call.labels):
        raise ToolError(f"no such label; there are {count} candidates")
    return sorted(set(call.labels)) if call.labels else range(count)


def by_strength(
    labels: Sequence[int],
    columns: Sequence[np.ndarray],
    strength: np.ndarray,
    most: int,
    kinds: Sequence[str] = (),
    *,
    with_none: bool = False,
) -> ToolResult:
    """A result that lists labels with their levels, strongest first.

    Args:
        labels: labels asked about.
        columns: levels by label over all candidates, each (N,).
        strength: what to sort by, over all candidates, (N,).
        most: labels that are listed.
        kinds: names of kinds that are listed with the labels, "" for none, over all candidates, (N,); none by default.
        with_none: list labels without evidence too.
    """
    # Plain lists: for some twenty numbers a call into numpy costs more than it saves.
    given = list(zip(*(column.tolist() for column in columns), strict=True))
    found = labels if with_none else [label for label in labels if any(given[label])]
    ranked = sorted(found, key=(-strength).tolist().__getitem__)[:most]
    segments: list[Segment] = []
    for label in ranked:
        segments += _leveled(label, given[label])
        if kinds and kinds[label]:
            segments.append(kind(kinds[label]))
    return ToolResult(tuple(segments) or (Words("nothing"),), len(found), {label: given[label] for label in ranked})


@lru_cache(maxsize=10_000)
def _leveled(label: int, levels: tuple[int, ...]) -> tuple[Segment, ...]:
    """A label with its levels, likewise made once."""
    return (Label(label), *(Level(int(level)) for level in levels))
