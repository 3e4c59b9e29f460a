"""Publishing a date while others change other dates; the store needs no Spark for it."""

from pathlib import Path
from threading import Event, Thread
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from recthinker.errors import TableContractError
from recthinker.tables.arrow import table_dates
from recthinker.tables.publishing import publish
from recthinker.tables.schemas import USER_HISTORY
from recthinker.tables.staging import Staged, write_staged
from recthinker.tables.store import TableStore
from tests.features import built_world as world


def staged(store: TableStore, ds: str, run: str) -> Staged:
    rows = pa.Table.from_pylist([world.blank(USER_HISTORY, ds)], schema=USER_HISTORY.arrow_schema()).drop(["ds"])
    file = write_staged(store.path(USER_HISTORY), f"ds={ds}/{run}/a.parquet", rows, {"ds": ds})
    return Staged(USER_HISTORY.name, ds, (file,))


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    spark: Any = None
    return TableStore(tmp_path, spark)


def test_dates_that_upkeep_deletes_meanwhile_do_not_stop_a_build(store: TableStore) -> None:
    old = world.days("2024-01-01", 40)
    for ds in old:
        world.append(Path(store.root), USER_HISTORY, [world.blank(USER_HISTORY, ds)])
    first = Event()

    def delete() -> None:
        for ds in old:
            DeltaTable(store.path(USER_HISTORY)).delete(f"ds = '{ds}'")
            first.set()

    upkeep = Thread(target=delete)
    upkeep.start()
    first.wait()
    days = world.days("2024-03-01", 6)
    for ds in days:
        publish(store, staged(store, ds, "r"), run_id="r", after=0)
    upkeep.join()
    assert table_dates(store.root, USER_HISTORY) == days


def test_second_run_of_a_date_is_still_refused(store: TableStore) -> None:
    publish(store, staged(store, "2024-03-01", "a"), run_id="a", after=0)
    with pytest.raises(TableContractError, match="another run published this date"):
        publish(store, staged(store, "2024-03-01", "b"), run_id="b", after=0)
