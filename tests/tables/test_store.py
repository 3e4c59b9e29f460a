"""The store: atomic, checked writes; what a refused write leaves; versions; other readers."""

from pathlib import Path

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.errors import ConfigError, TableContractError
from recthinker.tables import store as store_module
from recthinker.tables.arrow import commits, read_arrow
from recthinker.tables.schemas import INTERACTIONS, ITEM_RELATIONS, ITEMS, SIMILAR_USERS, USERS
from recthinker.tables.spark import spark_schema
from recthinker.tables.store import TableStore
from tests import tiny_world

pytestmark = pytest.mark.spark


def neighbours(store: TableStore, ds: str, **similar: float) -> DataFrame:
    """`similar_users` rows: each named user has u01 at that similarity."""
    rows = [(ds, user, [("u01", value)]) for user, value in similar.items()]
    return store.spark.createDataFrame(rows, spark_schema(SIMILAR_USERS))


def similarities(store: TableStore, ds: str, version: int | None = None) -> dict[str, float]:
    """User to similarity, as written by `neighbours`."""
    rows = store.read(SIMILAR_USERS, ds=ds, version=version).collect()
    return {row.user_id: row.neighbours[0].similarity for row in rows}


def test_write_ds_replaces_its_date_only(store: TableStore) -> None:
    store.write_ds(SIMILAR_USERS, neighbours(store, "2024-03-01", u02=0.1), ds="2024-03-01", run_id="a")
    store.write_ds(
        SIMILAR_USERS, neighbours(store, "2024-03-02", u02=0.2, u03=0.3), ds="2024-03-02", run_id="a"
    )
    written = store.write_ds(
        SIMILAR_USERS, neighbours(store, "2024-03-02", u04=0.4), ds="2024-03-02", run_id="b"
    )
    assert (written.table, written.rows) == ("similar_users", 1)
    assert similarities(store, "2024-03-01") == {"u02": 0.1}
    assert similarities(store, "2024-03-02") == {"u04": 0.4}
    assert similarities(store, "2024-03-02", version=written.version - 1) == {"u02": 0.2, "u03": 0.3}
    assert commits(store.root, SIMILAR_USERS)[0]["userMetadata"] == "b"
