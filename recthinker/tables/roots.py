"""The folders of tables that are there: the warehouse, and one a training cut."""

from pathlib import Path

from pyarrow import fs

from recthinker.tables.arrow import Root
from recthinker.tables.staging import open_location


def table_roots(warehouse: Root, cuts: Root) -> list[Root]:
    """The warehouse and the folders of the cuts, as far as they are there; the warehouse first."""
    return [*([warehouse] if _is_folder(warehouse) else []), *_folders(cuts)]


def _is_folder(root: Root) -> bool:
    filesystem, path = open_location(str(root))
    return bool(filesystem.get_file_info(path).type == fs.FileType.Directory)


def _folders(root: Root) -> list[Root]:
    filesystem, path = open_location(str(root))
    found = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True))
    names = sorted(info.base_name for info in found if info.type == fs.FileType.Directory)
    return [Path(root) / name if isinstance(root, Path) else f"{root}/{name}" for name in names]
