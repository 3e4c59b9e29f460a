"""The feature rows of one D from their Delta tables, without Spark, each at a pinned version."""

from pathlib import Path

import pyarrow as pa

from recthinker.lookup.feature_rows import FeatureRows
from recthinker.tables.arrow import read_arrow, table_version
from recthinker.tables.schemas import (
    CO_INTERACTION,
    ITEM_METADATA,
    ITEM_RELATION,
    SIMILAR_USERS,
    USER_HISTORY,
    USER_PROFILE,
    Table,
)


def read_features(root: Path, ds: str) -> FeatureRows:
    """The six feature tables under `root` for D.

    Raises:
        TableContractError: a table or its rows for D are missing.
    """
    rows: dict[str, pa.Table] = {}
    versions: dict[str, int] = {}
    for table in (USER_PROFILE, USER_HISTORY, SIMILAR_USERS, ITEM_METADATA, ITEM_RELATION, CO_INTERACTION):
        rows[table.name], versions[table.name] = read_pinned(root, table, ds)
    return FeatureRows(**rows, versions=versions)


def read_pinned(root: Path, table: Table, ds: str) -> tuple[pa.Table, int]:
    """A table's rows for D, and the version that they were read at."""
    version = table_version(root, table)
    return read_arrow(root, table, ds=ds, version=version), version
