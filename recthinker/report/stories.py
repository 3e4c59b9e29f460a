"""A user's night as a story: what they had, what the agent asked and read, how it ranked.

The same story is a section of the nightly page and the output of `recthinker show`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from recthinker.errors import ConfigError, TableContractError
from recthinker.lookup.text import readable
from recthinker.report.data import Rows
from recthinker.report.labels import Evidence, Piece, label_items, read_evidence, translate
from recthinker.tools import BUILT_IN

CLAUSE = re.compile(r"\s+(?=(?:sufficient|missing|call|rank)\b)")
"""Where a clause of what the agent writes begins; told apart by dots."""


@dataclass(frozen=True, slots=True)
class Event:
    """One item of the user's history."""

    title: str
    rating: float | None


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call and what came back."""

    name: str
    arguments: tuple[Piece, ...]
    rows: int
    is_ok: bool
    levels: tuple[str, ...]
    """Names of the levels of `evidence`."""
    evidence: tuple[Evidence, ...]
    text: str
    """The result as the agent read it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One step of an episode: the prompt, what the agent wrote, or a tool's answer."""

    role: str
    pieces: tuple[Piece, ...]
    call: Call | None


@dataclass(frozen=True, slots=True)
class Place:
    """A candidate in the final ranking."""

    rank: int
    label: str
    """Letter that the agent knew it by; empty where the episode never began."""
    title: str
    score: float | None
    position: int
    """Place in the candidate order, from 1."""
    sources: tuple[str, ...]
    is_published: bool
    reason: str

    @property
    def moved(self) -> int:
        """Places gained over the candidate order; negative when lost."""
        return self.position - self.rank


@dataclass(frozen=True, slots=True)
class Story:
    """One user's night."""

    user_id: str
    why: str
    """The rule that chose the user; empty when asked for by name."""
    status: str
    stop_reason: str
    history: tuple[Event, ...]
    """Newest first."""
    history_length: int
    shown: tuple[tuple[str, str], ...]
    """Label and title of the candidates in the order in which the agent saw them."""
    turns: tuple[Turn, ...]
    ranking: tuple[Place, ...]
    """All candidates, best first."""
    tokens: Mapping[str, int]


def tell_story(rows: Rows, user_id: str, why: str = "", most_events: int = 12) -> Story:
    """One user's night, titles in place of ids and labels; of the history the `most_events` newest events.

    Raises:
        ConfigError: the agent was not asked for `user_id` on this date.
        TableContractError: the ranking holds an item that is not among the user's candidates.
    """
    episode = _row(rows.trajectories, user_id)
    if episode is None:
        some = ", ".join(sorted(pc.unique(rows.trajectories["user_id"]).to_pylist(), key=lambda u: (len(u), u))[:5])
        raise ConfigError(
            f"user {user_id} should have recommendations for ds={rows.ds}, found none among "
            f"{rows.trajectories.num_rows} users; name one of them, such as {some}"
        )
    events = (_row(rows.histories, user_id) or {"events": []})["events"]
    candidates = (_row(rows.candidates, user_id) or {"items": []})["items"]
    labels = label_items(episode["versions"])
    titles = _titles(rows, {e["item_id"] for e in events} | {c["item_id"] for c in candidates} | set(labels.values()))
    label_titles = {label: titles[item_id] for label, item_id in labels.items()}
    return Story(
        user_id=user_id,
        why=why,
        status=episode["status"],
        stop_reason=episode["stop_reason"],
        history=tuple(Event(titles[e["item_id"]], e["rating"]) for e in events[:most_events]),
        history_length=len(events),
        shown=tuple(label_titles.items()),
        turns=_turns(episode, label_titles),
        ranking=_ranking(episode, candidates, _published(rows, user_id), labels, titles),
        tokens=episode["tokens"],
    )


def _row(table: pa.Table, user_id: str) -> dict[str, Any] | None:
    found: list[dict[str, Any]] = table.filter(pc.equal(table["user_id"], user_id)).to_pylist(maps_as_pydicts="strict")
    return found[0] if found else None


def _titles(rows: Rows, item_ids: set[str]) -> dict[str, str]:
    """Title by item id, as it may be shown; the id itself where there is none that can be seen."""
    known = rows.metadata.filter(pc.is_in(rows.metadata["item_id"], value_set=pa.array(sorted(item_ids), pa.string())))
    titles = dict(zip(known["item_id"].to_pylist(), known["title"].to_pylist(), strict=True))
    return {item_id: readable(titles.get(item_id, "")).strip() or item_id for item_id in item_ids}


def _turns(episode: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[Turn, ...]:
    """The turns; the n-th tool turn is the answer to the n-th call."""
    calls = iter(episode["tool_calls"])
    turns = []
    for turn in episode["turns"]:
        call = next(calls, None) if turn["role"] == "tool" else None
        text = CLAUSE.sub(" · ", turn["text"])
        pieces = translate(text, titles) if turn["role"] == "agent" else [Piece(turn["text"])]
        turns.append(Turn(turn["role"], tuple(pieces), _call(call, titles) if call else None))
    return tuple(turns)


def _call(call: Mapping[str, Any], titles: Mapping[str, str]) -> Call:
    levels = _levels(call)
    arguments = ", ".join(_argument(name, value) for name, value in json.loads(call["arguments"] or "{}").items())
    return Call(
        name=call["name"],
        arguments=tuple(translate(arguments, titles)),
        rows=call["rows"],
        is_ok=call["ok"],
        levels=levels,
        evidence=tuple(read_evidence(levels, call["result"], titles)),
        text=call["result"],
    )


def _levels(call: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the levels that the tool gives; rows of older releases do not hold them."""
    recorded = call["levels"]
    if recorded is None:
        return BUILT_IN[call["name"]].evidence if call["name"] in BUILT_IN else ()
    return tuple(recorded)


def _argument(name: str, value: object) -> str:
    shown = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{name}: {shown}"


def _published(rows: Rows, user_id: str) -> dict[str, str]:
    """Reason by published item."""
    own = rows.recommendations.filter(pc.equal(rows.recommendations["user_id"], user_id))
    return dict(zip(own["item_id"].to_pylist(), own["reason"].to_pylist(), strict=True))


def _ranking(
    episode: Mapping[str, Any],
    candidates: list[dict[str, Any]],
    published: Mapping[str, str],
    labels: Mapping[str, str],
    titles: Mapping[str, str],
) -> tuple[Place, ...]:
    offered = {c["item_id"]: (position, tuple(c["sources"])) for position, c in enumerate(candidates, start=1)}
    strays = [item_id for item_id in episode["ranking"] if item_id not in offered]
    if strays:
        raise TableContractError(
            f"trajectories of user {episode['user_id']} should rank the user's candidates, found "
            f"{len(strays)} other items (item_id={strays[0]}); the two are of different runs: run the "
            "night again from the snapshot on"
        )
    letters = {item_id: label for label, item_id in labels.items()}
    scores: list[float] = episode["scores"]
    return tuple(
        Place(
            rank=rank,
            label=letters.get(item_id, ""),
            title=titles[item_id],
            score=scores[rank - 1] if rank <= len(scores) else None,
            position=offered[item_id][0],
            sources=offered[item_id][1],
            is_published=item_id in published,
            reason=published.get(item_id, ""),
        )
        for rank, item_id in enumerate(episode["ranking"], start=1)
    )
