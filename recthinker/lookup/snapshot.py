"""A snapshot as a whole: its manifest, its item rows, its shards of requests."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from recthinker.errors import SnapshotError
from recthinker.lookup.files import checksum
from recthinker.lookup.items import ItemRows
from recthinker.lookup.requests import RequestRow, RequestRows

MANIFEST = "manifest.json"
FORMAT = 4
"""What the files hold; 4: codes of items and edges in lists are of two bytes where they can be, and both weights of a
pair stand side by side."""


class Snapshot:
    """An opened snapshot; item rows and shards are mapped when first used.

    Raises:
        SnapshotError: no snapshot there, it is of another release, or a file's size is not the one recorded.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / MANIFEST
        try:
            self.manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise SnapshotError(
                f"no snapshot at {folder}: {MANIFEST} cannot be read ({error}); run python -m jobs.write_snapshot"
            ) from error
        if self.manifest.get("format") != FORMAT:
            raise SnapshotError(
                f"the snapshot at {folder} was written by another release (format {self.manifest.get('format')}, "
                f"expected {FORMAT}); write it again: python -m jobs.write_snapshot"
            )
        for name, facts in self.manifest["files"].items():
            file = folder / name
            found = file.stat().st_size if file.is_file() else None
            if found != facts["bytes"]:
                raise SnapshotError(
                    f"snapshot file {file} is corrupt: expected {facts['bytes']} bytes, found {found}; "
                    "run python -m jobs.write_snapshot"
                )

    def verify(self) -> None:
        """Read every byte and compare with the recorded checksums."""
        for name, facts in self.manifest["files"].items():
            if checksum(self.folder / name) != facts["sha256"]:
                raise SnapshotError(
                    f"snapshot file {self.folder / name} is corrupt: its checksum is not the recorded one; "
                    "run python -m jobs.write_snapshot"
                )

    @property
    def ds(self) -> str:
        """The logical date."""
        return str(self.manifest["ds"])

    @property
    def table_versions(self) -> dict[str, int]:
        """Delta version of each table read."""
        return dict(self.manifest["table_versions"])

    @property
    def shards(self) -> list[int]:
        """Shards that hold at least one request."""
        return [int(shard) for shard, rows in self.manifest["shards"].items() if rows]

    @property
    def request_count(self) -> int:
        """Requests in all shards."""
        return sum(self.manifest["shards"].values())

    @cached_property
    def items(self) -> ItemRows:
        """The item rows."""
        return ItemRows(self.folder)

    def requests(self, shard: int) -> RequestRows:
        """The requests of one shard."""
        return RequestRows(self.folder / shard_file(shard))

    def request(self, key: str) -> RequestRow:
        """The request of `key`, whichever shard holds it."""
        for shard in self.shards:
            if row := self.requests(shard).get(key):
                return row
        raise SnapshotError(f"no request {key!r} in the snapshot of {self.ds} at {self.folder}")


def shard_file(shard: int) -> str:
    """Name of a shard's file."""
    return f"requests-{shard:05d}.arrow"
