"""The whole way into the landing tables: counts, a second time, other data, a source that leaves nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from recthinker.errors import SourceError
from recthinker.settings import Settings
from recthinker.sources.ingest import IngestSummary, ingest
from recthinker.sources.movielens import open_movielens
from recthinker.sources.raw import Source
from recthinker.sources.records import TableCount
from recthinker.sources.tabular import open_tabular
from recthinker.tables.arrow import commits, read_arrow, table_version
from recthinker.tables.schemas import INGESTS, INTERACTIONS, ITEM_RELATIONS, ITEMS, LANDING, QUARANTINE, USERS
from recthinker.tables.store import TableStore
from tests import tiny_world
from tests.gate import check_landing

pytestmark = pytest.mark.spark

NOW = datetime(2024, 4, 1, tzinfo=UTC)
EVENTS = len(tiny_world.interactions())


def run(source: Source, store: TableStore, settings: Settings) -> IngestSummary:
    """Ingest into the store's root."""
    return ingest(source, store.root, settings.ingest, open_spark=lambda: store.spark, run_id="r", now=NOW)


def keys(events: list[tiny_world.Row]) -> set[tuple[object, ...]]:
    """User, item and time of each event."""
    return {(row["user_id"], row["item_id"], row["event_time"]) for row in events}


def no_spark() -> SparkSession:
    """Stands for a session that nobody may ask for."""
    raise AssertionError("Spark was started")


def test_recbole_files_land_and_a_second_ingest_is_skipped_without_spark(
    store: TableStore, settings: Settings, tmp_path: Path
) -> None:
    source = open_movielens(tiny_world.write_recbole_files(tmp_path / "tiny"))
    summary = run(source, store, settings)
    assert summary.counts == {
        "items": TableCount(24, 24, 0),
        "users": TableCount(11, 11, 0),
        "item_relations": TableCount(9, 9, 0),
        "interactions": TableCount(EVENTS, EVENTS, 0),
    }
    landed = {
        (row["user_id"], row["item_id"], row["event_time"]) for row in read_arrow(store.root, INTERACTIONS).to_pylist()
    }
    assert landed == {(row["user_id"], row["item_id"], row["event_time"]) for row in tiny_world.interactions()}
    assert read_arrow(store.root, ITEM_RELATIONS, columns=["tail_label"])["tail_label"].null_count == 9
    recorded = read_arrow(store.root, INGESTS).to_pylist()
    told = {(row["table"], Path(row["path"]).name, row["read"], row["kept"], row["source"]) for row in recorded}
    folder = "movielens:tiny/tiny"
    assert told == {
        ("items", "tiny.item", 24, 24, f"{folder}.item"),
        ("users", "tiny.user", 11, 11, f"{folder}.user"),
        ("item_relations", "tiny.kg", 9, 9, f"{folder}.kg"),
        ("item_relations", "tiny.link", 9, 9, f"{folder}.kg"),
        ("interactions", "tiny.inter", EVENTS, EVENTS, f"{folder}.inter"),
    }
    assert all(row["size"] == Path(row["path"]).stat().st_size and row["version"] is None for row in recorded)
    (mark,) = {row["fingerprint"] for row in recorded}
    assert commits(store.root, INTERACTIONS)[0]["userMetadata"] == f"r source={mark}"
    check_landing(store)
    versions = [table_version(store.root, table) for table in LANDING]
    again = ingest(source, store.root, settings.ingest, open_spark=no_spark, run_id="s", now=NOW)
    assert again.skipped_at == 2
    assert "skipped, the same data are in interactions since version 2" in str(again)
    assert [table_version(store.root, table) for table in LANDING] == versions


def test_other_data_are_added_by_key_and_refused_rows_are_not_doubled(
    store: TableStore, settings: Settings, tmp_path: Path
) -> None:
    run(open_movielens(tiny_world.write_recbole_files(tmp_path / "tiny")), store, settings)
    more = tmp_path / "more.csv"
    more.write_text(
        "user_id,item_id,event_time,rating\nu01,i24,2024-03-11,5\nu01,i99,2024-03-11,5\n,i01,2024-03-11,5\n"
    )
    items = tmp_path / "items.csv"
    items.write_text("item_id,title\ni01,Star Harbour\n")
    summary = run(open_tabular(more, items=items), store, settings)
    assert summary.counts["interactions"] == TableCount(read=3, kept=1, quarantined=2)
    assert str(summary).endswith("interactions: 3 read, 1 kept, 2 quarantined; 1 new, 0 changed")
    assert read_arrow(store.root, INTERACTIONS).num_rows == EVENTS + 1
    titles = {row["item_id"]: row["title"] for row in read_arrow(store.root, ITEMS).to_pylist()}
    assert (len(titles), titles["i01"], titles["i02"]) == (24, "Star Harbour", "Far Orbit")
    more.write_text(more.read_text() + "u02,i24,2024-03-11,6\n")
    run(open_tabular(more, items=items), store, settings)
    refused = read_arrow(store.root, QUARANTINE).to_pylist()
    assert sorted(row["reason"] for row in refused) == ["no user_id", "rating outside 0..5", "unknown item"]
    assert {row["ingested_at"] for row in refused} == {NOW}


def test_without_items_the_events_make_the_catalogue(store: TableStore, settings: Settings, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("user_id,item_id,event_time\nu1,a,2024-03-01\nu1,b,2024-03-02\nu2,a,2024-03-02\n")
    run(open_tabular(events), store, settings)
    assert sorted(read_arrow(store.root, ITEMS, columns=["item_id"])["item_id"].to_pylist()) == ["a", "b"]
    assert read_arrow(store.root, USERS).num_rows == 0
    assert read_arrow(store.root, INTERACTIONS)["event_type"].unique().to_pylist() == ["interaction"]
    check_landing(store)


def test_nothing_is_written_when_no_event_is_left(store: TableStore, settings: Settings, tmp_path: Path) -> None:
    events = tmp_path / "events.csv"
    events.write_text("user_id,item_id,event_time\nu1,a,tomorrow\nu2,a,1066-10-14\n")
    with pytest.raises(SourceError, match=r"not one interaction was kept.*no readable event_time \(1 rows\)"):
        run(open_tabular(events), store, settings)
    assert not (store.root / INTERACTIONS.name).exists()
    assert not (store.root / QUARANTINE.name).exists()
