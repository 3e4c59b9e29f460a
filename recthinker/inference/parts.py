"""A shard's progress on disk, in parts: whoever is in a part that was committed is never asked again.

A part is a folder with the rows of some users as Arrow files and a description, made under another name and renamed
when all of it is on the disk. So a part is there whole or not at all, whatever killed the run. One that is damaged, or
was made with another model or snapshot, is removed: its users run again.
"""

import hashlib
import json
import logging
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from recthinker.tables.schemas import RECOMMENDATIONS, TRAJECTORIES, Table

logger = logging.getLogger(__name__)

TABLES: tuple[Table, ...] = (TRAJECTORIES, RECOMMENDATIONS)
DESCRIPTION = "part.json"
COUNTED = ("prompt", "cached", "generated", "calls", "faults")
"""What is added up over episodes: tokens of each kind, tool calls, and calls in which the tool broke."""


@dataclass(frozen=True, slots=True)
class Part:
    """One committed part."""

    folder: Path
    outcomes: Mapping[str, int]
    """Users by outcome."""
    totals: Mapping[str, int]
    """Sums of `COUNTED`."""
    seconds: float
    """Wall time since the part before, or the start of its run."""


class ShardParts:
    """The parts of one shard.

    Args:
        folder: where they lie; made where it is missing.
        stamp: what all rows are made with. Parts of another stamp are removed.
    """

    def __init__(self, folder: Path, stamp: Mapping[str, Any]) -> None:
        self.folder = folder
        self._stamp = json.loads(json.dumps(stamp))
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob(".*"):
            shutil.rmtree(unfinished)
        self.parts = [part for path in sorted(folder.iterdir()) if (part := self._opened(path))]
        self._next = 1 + max((_number(part.folder) for part in self.parts), default=-1)

    @property
    def outcomes(self) -> Counter[str]:
        """Users of all parts by outcome."""
        return sum((Counter(part.outcomes) for part in self.parts), Counter())

    @property
    def totals(self) -> Counter[str]:
        """Sums of `COUNTED` over all parts."""
        return sum((Counter(part.totals) for part in self.parts), Counter())

    @property
    def seconds(self) -> float:
        """Wall time of all parts."""
        return sum(part.seconds for part in self.parts)

    def users(self) -> set[str]:
        """Ids of the users of all parts."""
        files = (part.folder / _file(TRAJECTORIES) for part in self.parts)
        return {user for file in files for user in feather.read_table(file, columns=["user_id"])["user_id"].to_pylist()}

    def commit(
        self,
        rows: Mapping[str, pa.Table],
        outcomes: Mapping[str, int],
        totals: Mapping[str, int],
        seconds: float,
    ) -> None:
        """Write one more part.

        Args:
            rows: by table of `TABLES`, of its schema.
            outcomes: users by outcome.
            totals: sums of `COUNTED`.
            seconds: wall time that it took.

        Raises:
            OSError: the disk is full or gone; nothing of the part is left.
        """
        name = f"part-{self._next:05d}"
        unfinished = self.folder / f".{name}"
        try:
            unfinished.mkdir()
            for table in TABLES:
                feather.write_feather(rows[table.name], str(unfinished / _file(table)), compression="lz4")
            digests = {table.name: _digest(unfinished / _file(table)) for table in TABLES}
            told = {"outcomes": outcomes, "totals": totals, "seconds": seconds}
            description = {"stamp": self._stamp, "sha256": digests, **told}
            (unfinished / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")
            _to_disk(*unfinished.iterdir(), unfinished)
            unfinished.rename(self.folder / name)
            _to_disk(self.folder)
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        self.parts.append(Part(self.folder / name, dict(outcomes), dict(totals), seconds))
        self._next += 1

    def merge(self, folder: Path) -> None:
        """Write the rows of all parts to `folder`, a Parquet file a table."""
        for table in TABLES:
            with pq.ParquetWriter(folder / f"{table.name}.parquet", table.arrow_schema()) as merged:
                for part in self.parts:
                    merged.write_table(feather.read_table(part.folder / _file(table)))

    def remove(self) -> None:
        """Remove all parts."""
        shutil.rmtree(self.folder)
        self.parts.clear()

    def _opened(self, folder: Path) -> Part | None:
        fault = "its files are not those that were written"
        try:
            told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
            if told["stamp"] != self._stamp:
                fault = "it was made with another model, snapshot or run"
            elif told["sha256"] == {table.name: _digest(folder / _file(table)) for table in TABLES}:
                return Part(folder, told["outcomes"], told["totals"], told["seconds"])
        except (OSError, ValueError, KeyError) as error:
            fault = repr(error)
        logger.warning("part dropped, its users run again folder=%s fault=%s", folder, fault)
        shutil.rmtree(folder)
        return None


def _file(table: Table) -> str:
    return f"{table.name}.arrow"


def _number(folder: Path) -> int:
    return int(folder.name.rsplit("-", 1)[1])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(*paths: Path) -> None:
    """Make the contents of files and folders survive the machine."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
