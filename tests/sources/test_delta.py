"""Delta tables of others: versions, what is read of a later one, and what becomes of it in the landing tables."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from recthinker.errors import SourceError
from recthinker.settings import Settings
from recthinker.sources.delta import Delta, open_delta
from recthinker.sources.ingest import IngestSummary, ingest
from recthinker.sources.raw import Ingested
from recthinker.sources.records import TableCount
from recthinker.tables.arrow import read_arrow
from recthinker.tables.schemas import INGESTS, INTERACTIONS, QUARANTINE
from recthinker.tables.store import TableStore

NOW = datetime(2024, 4, 1, tzinfo=UTC)
MAPPING = {"user_id": "uid", "event_time": "at"}


def add(path: Path, *events: tuple[str, str, int], mode: str = "append") -> None:
    """Events (user, item, day of March 2024) as one more version of a table partitioned by a text with a blank."""
    rows = [
        {"uid": user, "item_id": item, "at": datetime(2024, 3, day, tzinfo=UTC), "event_type": "buy it é"}
        for user, item, day in events
    ]
    write_deltalake(path, pa.Table.from_pylist(rows), mode=mode, partition_by=["event_type"])


def catalogue(path: Path, *items: str) -> None:
    """Items as one more version of a table."""
    write_deltalake(path, pa.table({"item_id": list(items), "title": [name.upper() for name in items]}), mode="append")


def bring(store: TableStore, settings: Settings, source: Delta) -> IngestSummary:
    """Ingest into the store's root."""
    return ingest(source, store.root, settings.ingest, open_spark=lambda: store.spark, run_id="r", now=NOW)


def users(source: Delta, store: TableStore, base: int | None) -> list[tuple[Any, ...]]:
    """User and type of the events that are read after version `base`."""
    given = source.inputs()[-1]
    assert given.table_id
    ingested = [Ingested("interactions", given.table_id, base)] if base is not None else []
    (table,) = source.read(store.spark, ingested)
    return sorted((row.user_id, row.event_type) for row in table.df.collect())


@pytest.mark.spark
def test_later_version_gives_what_was_added_and_a_rewritten_one_all(
    store: TableStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "orders"
    add(path, ("u1", "a", 1))
    add(path, ("u2", "a", 2))
    add(path, ("u3", "a", 3), ("u4", "a", 3))
    kind = "buy it é"
    assert users(open_delta(path, mapping=MAPPING), store, None) == [(f"u{n}", kind) for n in (1, 2, 3, 4)]
    assert users(open_delta(path, mapping=MAPPING, version=1), store, None) == [("u1", kind), ("u2", kind)]
    assert users(open_delta(path, mapping=MAPPING), store, 0) == [(f"u{n}", kind) for n in (2, 3, 4)]
    assert users(open_delta(path, mapping=MAPPING), store, 1) == [("u3", kind), ("u4", kind)]
    # A version after the one named says nothing about it.
    assert users(open_delta(path, mapping=MAPPING, version=1), store, 2) == [("u1", kind), ("u2", kind)]
    DeltaTable(path).delete("uid = 'u4'")
    with caplog.at_level(logging.INFO, logger="recthinker.sources.delta"):
        assert users(open_delta(path, mapping=MAPPING), store, 2) == [(f"u{n}", kind) for n in (1, 2, 3)]
    assert "reads whole table" in caplog.text
    assert "1 files of version 2 were removed" in caplog.text


@pytest.mark.slow
@pytest.mark.spark
def test_ingests_record_versions_and_a_later_one_adds_to_the_table(
    store: TableStore, settings: Settings, tmp_path: Path
) -> None:
    orders, items = tmp_path / "orders", tmp_path / "items"
    catalogue(items, "a")
    add(orders, ("u1", "a", 1), ("", "a", 1))
    first = bring(store, settings, open_delta(orders, items=items, mapping=MAPPING))
    assert first.counts["interactions"] == TableCount(read=2, kept=1, quarantined=1)
    # Version 0 made the table, 1 its constraints, 2 brought the rows.
    assert bring(store, settings, open_delta(orders, items=items, mapping=MAPPING)).skipped_at == 2
    add(orders, ("u2", "a", 2), ("u2", "b", 2))
    second = bring(store, settings, open_delta(orders, items=items, mapping=MAPPING))
    assert second.counts == {"items": TableCount(0, 0, 0), "interactions": TableCount(read=2, kept=1, quarantined=1)}
    # What was refused before is still told; item b comes with the third, so its event is read again.
    assert {row["reason"] for row in read_arrow(store.root, QUARANTINE).to_pylist()} == {"no user_id", "unknown item"}
    catalogue(items, "b")
    add(orders, ("u3", "a", 3))
    third = bring(store, settings, open_delta(orders, items=items, mapping=MAPPING))
    assert third.counts == {"items": TableCount(1, 1, 0), "interactions": TableCount(read=5, kept=4, quarantined=1)}
    assert third.events is not None
    assert (third.events.new, third.events.changed) == (2, 0)
    assert [row["reason"] for row in read_arrow(store.root, QUARANTINE).to_pylist()] == ["no user_id"]
    sources = {
        (row["user_id"], row["item_id"]): row["source"] for row in read_arrow(store.root, INTERACTIONS).to_pylist()
    }
    start = f"delta:{tmp_path.name}/orders@"
    assert sources == {
        ("u1", "a"): f"{start}0",
        ("u2", "a"): f"{start}0..1",
        ("u2", "b"): f"{start}2",
        ("u3", "a"): f"{start}2",
    }
    told = [row for row in read_arrow(store.root, INGESTS).to_pylist() if row["table"] == "interactions"]
    assert sorted((row["version"], row["source"], row["read"], row["kept"], row["sha256"]) for row in told) == [
        (0, f"{start}0", 2, 1, None),
        (1, f"{start}0..1", 2, 1, None),
        (2, f"{start}2", 5, 4, None),
    ]


@pytest.mark.spark
def test_other_mapping_reads_the_whole_table_again(store: TableStore, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "orders"
    add(path, ("u1", "a", 1))
    bring(store, settings, open_delta(path, mapping=MAPPING))
    add(path, ("u2", "a", 2))
    other = bring(store, settings, open_delta(path, mapping={**MAPPING, "item_id": "item_id"}))
    assert other.counts["interactions"].read == 2


def test_wrong_tables_are_told_before_spark(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"folder .*none holds no Delta table: "):
        open_delta(tmp_path / "none")
    add(tmp_path / "orders", ("u1", "a", 1))
    with pytest.raises(SourceError, match="holds no Delta table at version 7"):
        open_delta(tmp_path / "orders", version=7)
    with pytest.raises(SourceError, match="no table has the columns when; valid: "):
        open_delta(tmp_path / "orders", mapping={"when": "at"})
