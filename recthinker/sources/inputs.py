"""What an ingest reads: files and Delta tables, each told by something that changes with its content."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Input:
    """A file, or a version of a Delta table."""

    table: str
    """Landing table that it is read for."""
    path: Path
    size: int
    """Bytes; of a Delta table, those of the files of the version."""
    sha256: str | None = None
    """Of the content; None for a Delta table."""
    table_id: str | None = None
    """The Delta table's own id, which stays when it is moved and changes when it is made anew; None for a file."""
    version: int | None = None
    """The Delta table's version; None for a file."""

    @property
    def identity(self) -> str:
        """The same only for the same content."""
        if self.table_id is not None:
            return f"{self.table} {self.table_id} {self.version}"
        return f"{self.path.name} {self.size} {self.sha256}"


def file_input(table: str, path: Path) -> Input:
    """The file as an input; reads all of it."""
    with path.open("rb") as content:
        return Input(table, path, path.stat().st_size, sha256=hashlib.file_digest(content, "sha256").hexdigest())


def fingerprint(inputs: Iterable[Input], options: Mapping[str, str]) -> str:
    """SHA-256 over `options` and the inputs in the order of their paths: the same only for the same ingest."""
    digest = hashlib.sha256(json.dumps(dict(options), sort_keys=True).encode())
    for given in sorted(inputs, key=lambda one: (str(one.path), one.table)):
        digest.update(f"{given.identity}\n".encode())
    return digest.hexdigest()
