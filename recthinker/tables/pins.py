"""Versions of tables that somebody refers to: which of them can still be read, which files they need, and that Delta
keeps their log entries.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from deltalake import DeltaTable

from recthinker.tables.arrow import Root, data_actions, open_table, table_location
from recthinker.tables.log import log_times
from recthinker.tables.schemas import Table

LOG_RETENTION = "delta.logRetentionDuration"
DELTA_DEFAULT = "interval 30 days"
INTERVAL = re.compile(r"interval (\d+) (hour|day|week)s?")
DAYS = {"hour": 1 / 24, "day": 1, "week": 7}


@dataclass(frozen=True, slots=True)
class Pin:
    """A version of a table that is kept readable."""

    root: Root
    """Folder of tables."""
    table: str
    version: int
    by: str
    """Who refers to it, for people."""
    ds: str | None = None
    """The date that was read, whose rows stay in the newest version too; None: no date in particular."""
    whole: bool = False
    """Whether all rows of the version are kept readable, not those of `ds` alone."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """What the pins of one table come to."""

    dates: frozenset[str]
    """Logical dates whose rows stay."""
    files: frozenset[str]
    """Files that stay, relative to the table's folder."""
    versions: frozenset[int]
    """Versions that can be read and stay so."""
    lost: Mapping[int, str]
    """Versions whose log entries are gone, and who refers to them: nobody can read them, whatever is kept."""


def resolve(root: Root, table: Table, pins: Iterable[Pin]) -> Pinned:
    """What the pins of a table come to; those of versions that the table does not have yet count for nothing.

    Raises:
        TableContractError: a version that should be readable is not.
    """
    asked: dict[int, list[Pin]] = {}
    for pin in pins:
        asked.setdefault(pin.version, []).append(pin)
    times = log_times(root, table) if asked else {}
    readable = {version for version in asked if version in times}
    lost = {
        version: ", ".join(sorted({pin.by for pin in referring}))
        for version, referring in sorted(asked.items())
        if version < min(times, default=0)
    }
    files = {file for version in readable for file in _files(root, table, version, asked[version])}
    dates = frozenset(pin.ds for referring in asked.values() for pin in referring if pin.ds)
    return Pinned(dates, frozenset(files), frozenset(readable), lost)


def longer_log(root: Root, table: Table, versions: Iterable[int], now: datetime) -> str | None:
    """The log retention that a table needs so that `versions` stay readable, twice what it has; None: it has enough.

    It is raised when half of it is over, so that upkeep need not run on any day in particular. An interval in other
    units than hours, days and weeks is the user's own and is left alone.
    """
    delta = DeltaTable(table_location(root, table))
    match = INTERVAL.fullmatch(delta.metadata().configuration.get(LOG_RETENTION, DELTA_DEFAULT).lower())
    times = log_times(root, table)
    ages = [(now - times[version]).total_seconds() / 86400 for version in versions]
    if match is None or not ages:
        return None
    kept = days = float(match[1]) * DAYS[match[2]]
    while max(ages) > days / 2:
        days *= 2
    return None if days == kept else f"interval {days:.0f} days"


def _files(root: Root, table: Table, version: int, pins: Iterable[Pin]) -> set[str]:
    actions = data_actions(open_table(root, table, version=version))
    paths = [unquote(path) for path in actions["path"].to_pylist()]
    if "ds" not in table.partition_by or any(pin.whole or pin.ds is None for pin in pins):
        return set(paths)
    wanted = {pin.ds for pin in pins}
    return {path for path, ds in zip(paths, actions["partition.ds"].to_pylist(), strict=True) if ds in wanted}
