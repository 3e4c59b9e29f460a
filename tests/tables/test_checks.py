"""The quality gate: the tiny world passes; each check finds the row made for it."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from recthinker.errors import ConfigError, TableContractError
from recthinker.tables.check_files import read_checks
from recthinker.tables.checks import audit
from recthinker.tables.schemas import TABLES
from recthinker.tables.store import TableStore
from tests import tiny_world
from tests.gate import check_landing

pytestmark = pytest.mark.spark

EVENT = tiny_world.interactions()[0]
EDGE = tiny_world.item_relations()[0]
ITEM = tiny_world.items()[0]
USER = tiny_world.users()[0]
LANDING_CHECKS = [check.name for check in read_checks() if check.is_landing]
BROKEN = {
    "interactions_without_id": ("interactions", {**EVENT, "user_id": " "}),
    "interactions_twice": ("interactions", EVENT),
    "interactions_of_unknown_items": ("interactions", {**EVENT, "item_id": "i99"}),
    "interactions_in_wrong_partition": (
        "interactions",
        {**EVENT, "event_time": datetime(2024, 3, 2, tzinfo=UTC), "event_date": date(2024, 3, 3)},
    ),
    "interactions_without_number": ("interactions", {**EVENT, "event_type": "view", "rating": float("inf")}),
    "items_without_id": ("items", {**ITEM, "item_id": ""}),
    "items_twice": ("items", ITEM),
    "users_without_id": ("users", {**USER, "user_id": ""}),
    "users_twice": ("users", USER),
    "item_relations_of_unknown_items": (
        "item_relations",
        {**EDGE, "tail_item_id": "i99", "tail_id": "x"},
    ),
    "item_relations_twice": ("item_relations", EDGE),
}
"""Check to a table and a row that, added to the world, breaks it."""


def append(store: TableStore, table: str, row: tiny_world.Row) -> None:
    """Add a row past the store, which would refuse most of them."""
    row = {**row, "attributes": list(row["attributes"].items())} if "attributes" in row else row
    rows = pa.Table.from_pylist([row], schema=TABLES[table].arrow_schema())
    write_deltalake(store.path(TABLES[table]), rows, mode="append")


def test_tiny_world_passes_all_checks(tiny_store: TableStore) -> None:
    results = check_landing(tiny_store)
    assert [result.name for result in results] == LANDING_CHECKS
    assert all(result.rule and not result.offending for result in results)


def test_each_check_finds_its_row(store: TableStore) -> None:
    tiny_world.land(store)
    for table, row in BROKEN.values():
        append(store, table, row)
    with pytest.raises(TableContractError) as caught:
        check_landing(store)
    message = str(caught.value)
    assert message.startswith(f"{len(BROKEN)} of {len(LANDING_CHECKS)} checks failed.")
    for name in BROKEN:
        assert f"{name}: " in message
    assert '"item_id":"i99"' in message


def test_no_events_fail_the_gate(store: TableStore) -> None:
    store.create(TABLES["interactions"])
    with pytest.raises(TableContractError, match="interactions_missing: There are events"):
        check_landing(store, ["interactions_missing"])


def test_gate_can_be_of_some_partitions_only(store: TableStore) -> None:
    tiny_world.land(store)
    append(store, "interactions", {**EVENT, "item_id": "i99"})
    landed = {"interactions": store.read(TABLES["interactions"]), "items": store.read(TABLES["items"])}
    later = landed | {"interactions": landed["interactions"].where("event_date >= '2024-03-09'")}
    names = ["interactions_of_unknown_items", "interactions_twice", "users_twice"]
    assert [result.has_passed for result in audit(store.spark, later, names=names)] == [True, True, False]
    with pytest.raises(TableContractError, match=r"\(1 row\), such as .*Mend the source and ingest it again"):
        audit(store.spark, landed, names=names)


def test_unknown_check_is_named(tiny_store: TableStore) -> None:
    with pytest.raises(ConfigError, match=r"check items_nice not found; checks in .*items_twice"):
        check_landing(tiny_store, ["items_nice"])
