"""Which versions of its tables a training cut is read at, and whether they can still be read; no row is."""

from collections.abc import Mapping

from pyarrow import fs

from recthinker.errors import TableContractError
from recthinker.lookup.cut import version_cut
from recthinker.settings import PathSettings
from recthinker.tables.arrow import Root, open_table, require_ds, table_version
from recthinker.tables.schemas import (
    CANDIDATES,
    CO_INTERACTION,
    HELD_OUT,
    INTERACTIONS,
    ITEM_METADATA,
    ITEM_RELATION,
    SIMILAR_USERS,
    USER_HISTORY,
    USER_PROFILE,
    Table,
)
from recthinker.tables.staging import open_location

ALWAYS = (USER_PROFILE, USER_HISTORY, ITEM_METADATA, HELD_OUT, CANDIDATES)
"""Tables of a cut that have rows for every date of it."""
CUT_TABLES = (*ALWAYS, SIMILAR_USERS, ITEM_RELATION, CO_INTERACTION)


def cut_versions(paths: PathSettings, cut: str, ds: str) -> dict[str, int]:
    """The versions, by table, at which `read_cut` would read a cut now.

    Raises:
        TableContractError: the cut was not built for D.
    """
    root = paths.cut(cut)
    versions = {table.name: table_version(root, table) for table in CUT_TABLES}
    for table in ALWAYS:
        require_ds(root, table, ds, version=versions[table.name])
    return {**versions, INTERACTIONS.name: version_cut(root, ds)}


def require_versions(paths: PathSettings, cut: str, ds: str, versions: Mapping[str, int]) -> None:
    """Make sure that a cut can still be read at the versions that `cut_versions` gave.

    Raises:
        TableContractError: a version is gone, or files of it are.
    """
    for table in CUT_TABLES:
        _require_files(paths.cut(cut), table, versions[table.name], ds)
    _require_files(paths.warehouse, INTERACTIONS, versions[INTERACTIONS.name], None)


def _require_files(root: Root, table: Table, version: int, ds: str | None) -> None:
    delta = open_table(root, table, version=version)
    uris = delta.file_uris([("ds", "=", ds)] if ds else None)
    filesystem, _ = open_location(str(root))
    found = filesystem.get_file_info([open_location(uri)[1] for uri in uris])
    gone = [info.base_name for info in found if info.type != fs.FileType.File]
    if gone:
        raise TableContractError(
            f"table {table.name} under {root} can no longer be read at version {version}: upkeep removed "
            f"{len(gone)} of its {len(uris)} files, {gone[0]} among them; a retraining on today's rows needs a plan of "
            "its own"
        )
