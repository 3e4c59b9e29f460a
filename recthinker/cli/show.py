"""`recthinker show USER`: a user's recommendations with the agent's steps and evidence, in the terminal.

The story is the one of the nightly page (`recthinker.report.stories`); here it is only laid out.
"""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from recthinker.lookup.text import readable
from recthinker.report import Call, Piece, Place, Story, Turn, read_manifest, read_rows, tell_story
from recthinker.settings import Settings

EVIDENCE_SHOWN = 8
"""Candidates of a tool's result that are printed, strongest first."""


def show(user_id: str, ds: str, settings: Settings, console: Console | None = None) -> None:
    """Print what `user_id` was recommended on `ds`, and why.

    Raises:
        ConfigError: the agent was not asked for `user_id` on `ds`; some who were are named.
        TableContractError: nothing was published for `ds`.
    """
    warehouse = settings.paths.warehouse
    manifest = read_manifest(warehouse, ds)
    story = tell_story(read_rows(warehouse, ds, manifest["table_versions"]), user_id)
    console = console or Console()
    console.print(_heading(story, ds, manifest["model_version"]))
    console.print(_ranking(story))
    for turn in story.turns:
        console.print(_turn(turn, story))


def _heading(story: Story, ds: str, model_version: str) -> Text:
    titles = ", ".join(event.title for event in story.history)
    more = story.history_length - len(story.history)
    return Text.assemble(
        (readable(f"User {story.user_id}, night of {ds}", limit=None), "bold"),
        "\n",
        _plain(f"{story.status} ({story.stop_reason}) by {model_version}"),
        "\n",
        (f"{story.history_length} events known, newest first: ", "dim"),
        _plain(titles or "none"),
        (f" and {more} more\n" if more else "\n", "dim"),
    )


def _ranking(story: Story) -> Table:
    table = Table(title="Recommendations", title_justify="left", title_style="bold")
    for name, justify in (
        ("#", "right"),
        ("item", "left"),
        ("score", "right"),
        ("was", "right"),
        ("moved", "right"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("sources")
    table.add_column("reason")
    for place in story.ranking:
        if place.is_published:
            table.add_row(*_cells(place))
    return table


def _cells(place: Place) -> Iterable[RenderableType]:
    moved = f"▲ {place.moved}" if place.moved > 0 else f"▼ {-place.moved}" if place.moved else "="
    return (
        str(place.rank),
        _chip(place.label, place.title) if place.label else _plain(place.title),
        "" if place.score is None else f"{place.score:.2f}",
        str(place.position),
        Text(moved, style="cyan" if place.moved > 0 else "yellow" if place.moved else "dim"),
        _plain(", ".join(place.sources)),
        _plain(place.reason),
    )


def _turn(turn: Turn, story: Story) -> RenderableType:
    if turn.role == "prompt":
        names = Text("  ").join(_chip(label, title) for label, title in story.shown)
        return Group(Text("\nThe agent saw, in this order", style="bold"), Padding(names, (0, 0, 0, 2)))
    if turn.call is not None:
        return Padding(_answer(turn.call), (0, 0, 0, 4))
    who = "agent" if turn.role == "agent" else "made to answer"
    return Text.assemble((f"\n{who}: ", "bold"), _join(turn.pieces))


def _answer(call: Call) -> RenderableType:
    head = Text.assemble((call.name, "bold"), "(", _join(call.arguments), f") found {call.rows}")
    if not call.is_ok:
        head.append(", could not be carried out", style="yellow")
    if not call.evidence:
        return Group(head, _plain(call.text))
    table = Table(box=None, pad_edge=False)
    table.add_column("candidate")
    for level in call.levels:
        table.add_column(level, justify="right")
    table.add_column("")
    for row in call.evidence[:EVIDENCE_SHOWN]:
        table.add_row(_chip(row.label, row.title), *map(str, row.levels), _plain(row.note))
    left = len(call.evidence) - EVIDENCE_SHOWN
    return Group(head, table, Text(f"and {left} weaker" if left > 0 else "", style="dim"))


def _join(pieces: Iterable[Piece]) -> Text:
    return Text.assemble(
        *(_plain(piece.text) if piece.title is None else _chip(piece.text, piece.title) for piece in pieces)
    )


def _chip(label: str, title: str) -> Text:
    return Text.assemble((label, "reverse"), " ", _plain(title))


def _plain(text: str) -> Text:
    """Text from outside data: neither Rich markup nor what steers a terminal, turns or hides text has an effect."""
    return Text(readable(text, limit=None))
