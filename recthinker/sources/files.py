"""Files of outside data before Spark sees them: are they there, do they hold the columns."""

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

from recthinker.errors import SourceError


def require_file(path: Path) -> Path:
    """`path`, which holds something.

    Raises:
        SourceError: it is not there or empty; what lies beside it is named.
    """
    if not path.is_file():
        folder = path.parent
        there = ", ".join(sorted(p.name for p in folder.iterdir())[:10]) if folder.is_dir() else "no such folder"
        raise SourceError(f"file {path} not found; in {folder}: {there or 'nothing'}. Check the path")
    if path.stat().st_size == 0:
        raise SourceError(f"file {path} is empty; fetch it again")
    return path


def first_line(path: Path, encoding: str = "utf-8") -> str:
    """The first line of a text file (gzip by its ending), without line end and byte-order mark."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding=encoding, errors="replace") as lines:
            return lines.readline().rstrip("\r\n").removeprefix("\ufeff")
    except (OSError, EOFError) as error:
        raise SourceError(f"file {path} cannot be read: {error}") from error


def require_columns(path: Path, present: Sequence[str], required: Iterable[str]) -> None:
    """Make sure that `required` are among the columns `present` in `path`.

    Raises:
        SourceError: with what is missing and what is there.
    """
    missing = [name for name in required if name not in present]
    if missing:
        raise SourceError(
            f"file {path} lacks the columns {', '.join(missing)}; columns there: {', '.join(present)}. "
            "Check the file's kind, or map its columns (--mapping name_here=name_in_file)"
        )
