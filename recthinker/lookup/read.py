"""The feature rows of one D from their Delta tables, without Spark, each at a pinned version."""

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from recthinker.lookup.feature_rows import FeatureRows
from recthinker.tables.arrow import Root, read_arrow, table_dates, table_version
from recthinker.tables.schemas import (
    CO_INTERACTION,
    ITEM_METADATA,
    ITEM_RELATION,
    SIMILAR_USERS,
    USER_HISTORY,
    USER_PROFILE,
    Table,
)


def read_features(root: Root, ds: str, versions: Mapping[str, int] = MappingProxyType({})) -> FeatureRows:
    """The six feature tables under `root` for D.

    Args:
        versions: by table, the version to read; the newest where it names none.

    Raises:
        TableContractError: a table is missing, or one that has a row for every user or item has none for D.
    """
    rows: dict[str, pa.Table] = {}
    read: dict[str, int] = {}
    for table in (USER_PROFILE, USER_HISTORY, ITEM_METADATA):
        rows[table.name], read[table.name] = read_pinned(root, table, ds, versions.get(table.name))
    for table in (SIMILAR_USERS, ITEM_RELATION, CO_INTERACTION):
        # A row only where there are neighbours: a world without relations has none, and that is no fault.
        version = read[table.name] = versions.get(table.name, table_version(root, table))
        has_rows = ds in table_dates(root, table, version=version)
        rows[table.name] = read_pinned(root, table, ds, version)[0] if has_rows else table.arrow_schema().empty_table()
    return FeatureRows(**rows, versions=read)


def read_pinned(root: Root, table: Table, ds: str, version: int | None = None) -> tuple[pa.Table, int]:
    """A table's rows for D at a version (None: the newest), and the version that they were read at."""
    version = table_version(root, table) if version is None else version
    return read_arrow(root, table, ds=ds, version=version), version
