"""`recthinker lineage TABLE`: what a table of a date was made from, as a tree."""

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from recthinker.errors import ConfigError
from recthinker.report.lineage import Origin, lineage
from recthinker.tables.arrow import Root
from recthinker.tables.schemas import TABLES

COMMITS_SHOWN = 5
"""Newest commits of a landing table that are shown."""


def show_lineage(table: str, ds: str, root: Root, console: Console) -> None:
    """Print what `table` of `ds` was made from; what comes up twice is told once.

    Raises:
        ConfigError: there is no such table.
        TableContractError: nothing is recorded of the table and date.
    """
    if table not in TABLES:
        raise ConfigError(f"lineage: expected one of the tables {', '.join(TABLES)}; found {table}; correct the name")
    origin = lineage(root, TABLES[table], ds)
    tree = Tree(_line(origin))
    _grow(tree, origin, set())
    console.print(tree)


def _grow(tree: Tree, origin: Origin, told: set[tuple[str, str]]) -> None:
    """The sources of `origin` below it."""
    for source in origin.sources[:COMMITS_SHOWN] if _are_commits(origin) else origin.sources:
        mark = (source.name, str(source.facts))
        again = mark in told and bool(source.sources)
        branch = tree.add(_line(source).append("  see above" if again else "", style="dim"))
        told.add(mark)
        if not again:
            _grow(branch, source, told)
    if _are_commits(origin) and len(origin.sources) > COMMITS_SHOWN:
        tree.add(Text(f"and {len(origin.sources) - COMMITS_SHOWN} earlier commits", style="dim"))


def _are_commits(origin: Origin) -> bool:
    return bool(origin.sources) and origin.sources[0].name.startswith("commit ")


def _line(origin: Origin) -> Text:
    """Name and facts; text from data has no say in how it looks."""
    facts = "  ".join(f"{name} {value}" for name, value in origin.facts.items())
    return Text.assemble((origin.name, "bold"), "  ", _printable(facts))


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
