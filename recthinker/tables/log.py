"""Which dates the commits of a table changed: read from its Delta log alone, without rows and old snapshots."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from pyarrow import fs

from recthinker.tables.arrow import Root, table_location
from recthinker.tables.schemas import Table
from recthinker.tables.staging import open_location

LAYOUT_OPERATIONS = ("CREATE", "ADD CONSTRAINT", "ADD COLUMN", "SET TBLPROPERTIES")
"""Beginnings of the operations of commits that make or change a table, not its rows."""
COMMIT = re.compile(r"(\d{20})\.json")
CHECKPOINT = re.compile(r"(\d{20})\.checkpoint.*\.parquet")


@dataclass(frozen=True, slots=True)
class DateChanges:
    """What the log of a table partitioned by `ds` still tells: old commits are cleaned up after a time."""

    oldest: int
    """First version from which on every commit is known."""
    newest: int
    """Newest version; -1 where there is no table."""
    last: Mapping[str, int]
    """Newest version that added or removed rows, by `ds`; moving rows between files does not count."""

    def still_there(self, ds: str, version: int, rows: int) -> bool:
        """Whether the rows of `ds` are still those that the commit `version` left.

        Args:
            ds: logical date.
            version: the commit.
            rows: how many it left; an empty date may have no commit of its own.
        """
        last = self.last.get(ds)
        if version > self.newest:
            return False
        if last is None:
            return rows == 0 or version < self.oldest
        return last == version or (rows == 0 and last < version)


def date_changes(root: Root, table: Table) -> DateChanges:
    """The commits that changed each date of a table; none where there is no table."""
    filesystem, folder = open_location(table_location(root, table))
    found = filesystem.get_file_info(fs.FileSelector(f"{folder}/_delta_log", allow_not_found=True))
    commits = sorted((int(match[1]), info.path) for info in found if (match := COMMIT.fullmatch(info.base_name)))
    last: dict[str, int] = {}
    for version, path in commits:
        with filesystem.open_input_stream(path) as stream:
            text = stream.read().decode()
        last |= dict.fromkeys(_changed(text), version)
    versions = [version for version, _ in commits]
    return DateChanges(versions[0], versions[-1], last) if versions else DateChanges(0, -1, {})


def named_files(root: Root, table: Table) -> set[str]:
    """Files that the commits still in a table's log added or removed, relative to the table's folder."""
    filesystem, folder = open_location(table_location(root, table))
    found = filesystem.get_file_info(fs.FileSelector(f"{folder}/_delta_log", allow_not_found=True))
    names: set[str] = set()
    for info in found:
        if COMMIT.fullmatch(info.base_name):
            with filesystem.open_input_stream(info.path) as stream:
                actions = [json.loads(line) for line in stream.read().decode().splitlines()]
            names |= {
                unquote(action[kind]["path"]) for action in actions for kind in ("add", "remove") if kind in action
            }
    return names


def log_times(root: Root, table: Table) -> dict[int, datetime]:
    """When each version that can still be opened was written into the log; Delta cleans a log up by these times."""
    filesystem, folder = open_location(table_location(root, table))
    found = filesystem.get_file_info(fs.FileSelector(f"{folder}/_delta_log", allow_not_found=True))
    commits = {int(match[1]): info.mtime for info in found if (match := COMMIT.fullmatch(info.base_name))}
    checkpoints = {int(match[1]): info.mtime for info in found if (match := CHECKPOINT.fullmatch(info.base_name))}
    oldest = 0 if 0 in commits else min(checkpoints, default=max(commits, default=0))
    return {version: at for version, at in sorted({**checkpoints, **commits}.items()) if version >= oldest}


def _changed(commit: str) -> set[str]:
    """Dates whose rows a commit changed; `commit` is its JSON lines."""
    actions = [json.loads(line) for line in commit.splitlines() if line.startswith(('{"add"', '{"remove"'))]
    return {_ds(file) for action in actions for file in action.values() if file.get("dataChange", True)}


def _ds(file: Mapping[str, Any]) -> str:
    """The date of a file; where a writer left out the partition of a removed one, its folder tells it."""
    values = file.get("partitionValues") or {}
    return str(values["ds"]) if "ds" in values else str(file["path"]).split("ds=", 1)[-1].split("/", 1)[0]
