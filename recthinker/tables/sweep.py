"""Files of a table that nobody needs: replaced long ago, or left behind by a run that was killed.

Delta's vacuum tells files by age alone; here the files of pinned versions stay, however old they are.
"""

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from deltalake import DeltaTable
from pyarrow import fs

from recthinker.tables.arrow import Root, table_location
from recthinker.tables.log import named_files
from recthinker.tables.schemas import Table
from recthinker.tables.staging import open_location


@dataclass(frozen=True, slots=True)
class Unneeded:
    """Files that may go, relative to the table's folder."""

    replaced: tuple[str, ...]
    """Removed by a commit."""
    orphans: tuple[str, ...]
    """Named by no commit: written aside by a killed run, or what Spark leaves beside its files."""


def find_unneeded(
    root: Root, table: Table, *, vacuum_hours: int, orphan_hours: int, pinned: Collection[str]
) -> Unneeded:
    """The files of a table that may go; removes none.

    Args:
        root: folder of the tables.
        table: contract of the table.
        vacuum_hours: age, since its removal, from which on a replaced file may go.
        orphan_hours: age from which on a file that no commit names may go.
        pinned: files that stay.
    """
    # Listed before the log is read: a file that is committed in between is named there.
    replaced, old = (_listed(root, table, hours) for hours in (vacuum_hours, orphan_hours))
    named = named_files(root, table)
    return Unneeded(
        tuple(sorted(path for path in replaced if unquote(path) in named and unquote(path) not in pinned)),
        tuple(sorted(path for path in old if unquote(path) not in named and unquote(path) not in pinned)),
    )


def remove(root: Root, table: Table, unneeded: Unneeded, *, orphan_hours: int) -> None:
    """Remove files, and on a local disk the folders that were empty, or had these files only, for `orphan_hours`."""
    filesystem, folder = open_location(table_location(root, table))
    stale = _stale_folders(Path(folder), orphan_hours) if isinstance(filesystem, fs.LocalFileSystem) else []
    for path in (*unneeded.replaced, *unneeded.orphans):
        # Another upkeep may have been faster.
        with suppress(FileNotFoundError):
            filesystem.delete_file(f"{folder}/{path}")
    for empty in stale:
        # Fails where there is something in it, which is then left alone.
        with suppress(OSError):
            empty.rmdir()


def _listed(root: Root, table: Table, hours: int) -> list[str]:
    """What a vacuum would remove."""
    delta = DeltaTable(table_location(root, table))
    return delta.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)


def _stale_folders(folder: Path, hours: int) -> list[Path]:
    """Folders that nothing was added to or removed from for `hours`, innermost first; the log's are not among them."""
    limit = time.time() - hours * 3600
    inside = [path for path in folder.glob("[!_.]*/**") if path.is_dir() and path.stat().st_mtime < limit]
    return sorted(inside, key=lambda path: len(path.parts), reverse=True)
