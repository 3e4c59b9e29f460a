"""The checks as they are written: sql/checks/<name>.sql, each one statement that returns the offending rows.

First line `-- `, then the rule in a sentence; `-- severity: warning` as the second line where offending rows do not
stop a build. A statement names what it reads in braces (`FROM {items}`): a table, `<table>_before` (rows of the
date built before D), `<table>_new` (rows of D that were computed, not carried on from the date before, where they were
checked), or `row_counts` (table, rows: how many rows of D there are). Needs no Spark.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recthinker.errors import ConfigError
from recthinker.settings import resource_dir
from recthinker.tables.schemas import LANDING, TABLES

Severity = Literal["stop", "warning"]

BEFORE, NEW = "_before", "_new"
ROW_COUNTS = "row_counts"
FRAMES = frozenset(TABLES) | {name + suffix for name in TABLES for suffix in (BEFORE, NEW)} | {ROW_COUNTS}
"""All that a statement may name."""
_LANDING = frozenset(table.name for table in LANDING)
_HEADER = re.compile(r"-- (?P<rule>[^\n]+)\n(?:-- severity: (?P<severity>[^\n]*)\n)?")


@dataclass(frozen=True, slots=True)
class Check:
    """One file of sql/checks."""

    name: str
    rule: str
    """What it demands, in a sentence."""
    severity: Severity
    """`stop`: nothing is published while a row breaks it; `warning`: it is told, and the build goes on."""
    frames: tuple[str, ...]
    """What it names in braces, sorted."""
    statement: str

    @property
    def is_landing(self) -> bool:
        """Whether it reads landing tables only."""
        return _LANDING.issuperset(self.frames)


def default_folder() -> Path:
    """sql/checks."""
    return resource_dir("sql") / "checks"


def check_names(folder: Path | None = None, *, reading: Collection[str] = ()) -> list[str]:
    """The checks there are, sorted; `folder` is sql/checks where not given.

    Args:
        folder: where the files lie.
        reading: only checks that name one of these; empty: all.
    """
    folder = folder or default_folder()
    names = sorted(path.stem for path in folder.glob("*.sql"))
    return [name for name in names if not reading or set(reading) & set(_read(folder, name).frames)]


def read_checks(names: Sequence[str] | None = None, *, folder: Path | None = None) -> list[Check]:
    """The checks named (default: all), in their order.

    Raises:
        ConfigError: there is no such check, its head is not as it should be, or it names what nobody gives.
    """
    folder = folder or default_folder()
    return [_read(folder, name) for name in (check_names(folder) if names is None else names)]


def _read(folder: Path, name: str) -> Check:
    path = folder / f"{name}.sql"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.sql"))) or "none"
        raise ConfigError(f"check {name} not found; checks in {folder}: {known}")
    statement = path.read_text(encoding="utf-8")
    head = _HEADER.match(statement)
    if head is None:
        raise ConfigError(f"check {name}: its first line should be `-- ` and the rule in a sentence; mend {path}")
    frames = tuple(sorted(set(re.findall(r"\{(\w+)\}", statement))))
    unknown = [frame for frame in frames if frame not in FRAMES]
    if unknown:
        raise ConfigError(f"check {name} reads {', '.join(unknown)}, which no contract describes")
    return Check(name, head["rule"], _severity(name, head["severity"]), frames, statement)


def _severity(name: str, word: str | None) -> Severity:
    if word in (None, "stop"):
        return "stop"
    if word == "warning":
        return "warning"
    raise ConfigError(f"check {name}: severity should be stop or warning, found {word}")
