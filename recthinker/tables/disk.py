"""Room for what a table is to take: told before anything is written."""

import shutil
from pathlib import Path

from recthinker.errors import ConfigError
from recthinker.tables.arrow import Root
from recthinker.tables.schemas import Table

MIN_FREE_BYTES = 2**30
"""On the disk of the tables."""


def require_free_disk(root: Root, table: Table) -> None:
    """Make sure that there is room for a table's rows; an object store has it.

    Raises:
        ConfigError: too little free disk.
    """
    if "://" in str(root):
        return
    Path(root).mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    if free < MIN_FREE_BYTES:
        raise ConfigError(
            f"table {table.name} was not written: {root} has {free / 2**20:.0f} MiB of free disk, at least "
            f"{MIN_FREE_BYTES / 2**20:.0f} MiB are needed; free some, or set paths.var to another disk"
        )
