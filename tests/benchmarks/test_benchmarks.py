"""The benchmarks' parts at tiny size: generated worlds, DuckDB's co-interactions, measuring, a drill of two kills."""

import json
import sys
from collections import Counter, deque
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from rich.console import Console

from recthinker.lookup import Snapshot
from recthinker.settings import load_settings
from recthinker.tables.arrow import read_arrow
from recthinker.tables.schemas import INTERACTIONS, ITEMS, USERS
from recthinker.tools import BUILT_IN
from tests.benchmarks import drill, figures
from tests.benchmarks.duckdb_co_interaction import write_co_interaction
from tests.benchmarks.generate import add_night, write_world
from tests.benchmarks.lookup_reads import measure_reads
from tests.benchmarks.measure import measure, stage_seconds
from tests.benchmarks.same_rows import differences
from tests.benchmarks.snapshot_world import SnapshotWorld
from tests.benchmarks.world import PLANTED_USER, World

pytestmark = pytest.mark.slow

WORLD = World(
    events=3_000, users=60, items=40, days=10, late_share=0.05, planted_events=100, half_category=True, seed=3
)
FEATURES = load_settings("test", environ={}).features


def known_day(event: dict[str, Any]) -> date:
    """As `recthinker.features.known` says: the event's day, or that within whose grace of 2 hours it arrived."""
    arrived = event["ingested_at"] - timedelta(hours=WORLD.grace_h)
    return max(event["event_date"], arrived.date())


def test_equal_worlds_are_equal_rows_in_the_contracts_schema(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert write_world(tmp_path / name, WORLD) == 3_100
    assert list(differences(tmp_path / "one", tmp_path / "two")) == []
    write_world(tmp_path / "other", World(events=3_000, users=60, items=40, days=10, seed=4))
    assert "interactions" in next(line for line in differences(tmp_path / "one", tmp_path / "other") if "inter" in line)

    events = read_arrow(tmp_path / "one", INTERACTIONS).to_pylist()
    keys = Counter(tuple(event[column] for column in INTERACTIONS.key) for event in events)
    assert max(keys.values()) == 1
    assert {event["event_date"] for event in events} == {WORLD.day(n) for n in range(10)}
    assert all(event["event_time"].date() == event["event_date"] for event in events)
    assert sum(event["user_id"] == PLANTED_USER for event in events) == 100
    late = sum(known_day(event) > event["event_date"] for event in events)
    assert 100 < late < 210  # 5 % of 3,100 are 155; four standard deviations are 49
    by_item = Counter(event["item_id"] for event in events)
    assert by_item["i0"] > 3 * by_item["i39"]  # Zipf: weights 1/10 and 1/49
    items = read_arrow(tmp_path / "one", ITEMS).to_pylist()
    assert sum("c0" in item["categories"] for item in items) == 20
    assert all(len(set(item["categories"])) == 2 for item in items)
    assert read_arrow(tmp_path / "one", USERS).num_rows == 60


def test_a_night_adds_new_and_late_events_that_only_the_next_date_sees(tmp_path: Path) -> None:
    write_world(tmp_path, WORLD)
    before = DeltaTable(tmp_path / "interactions").version()
    assert add_night(tmp_path, WORLD, share=0.1) == "2026-04-01"

    old = DeltaTable(tmp_path / "interactions", version=before).to_pyarrow_table().to_pylist()
    keys = {tuple(event[column] for column in INTERACTIONS.key) for event in old}
    new = [
        event
        for event in read_arrow(tmp_path, INTERACTIONS).to_pylist()
        if tuple(event[column] for column in INTERACTIONS.key) not in keys
    ]
    assert len(new) == 300  # 10 % of 3,000
    assert {known_day(event) for event in new} == {date(2026, 4, 1)}
    assert sum(event["event_date"] == WORLD.last_day for event in new) == 6  # 2 % of 300


def test_duckdb_counts_the_pairs_that_a_loop_counts(tmp_path: Path) -> None:
    write_world(tmp_path, WORLD)
    write_co_interaction(tmp_path, str(WORLD.last_day), FEATURES, tmp_path / "out.parquet", memory="1GB")
    found = {
        (row["item_id"], neighbour["item_id"]): neighbour["support"]
        for row in pq.read_table(tmp_path / "out.parquet").to_pylist()
        for neighbour in row["neighbours"]
    }

    weights = FEATURES.event_weights
    events = [event for event in read_arrow(tmp_path, INTERACTIONS).to_pylist() if weights[event["event_type"]] > 0]
    known = [event for event in events if known_day(event) <= WORLD.last_day]
    assert len(known) < len(events) < 3_100, "the world has events that do not count"
    expected: Counter[tuple[str, str]] = Counter()
    previous: dict[str, deque[str]] = {}
    for event in sorted(known, key=lambda event: (known_day(event), event["event_time"])):
        recent = previous.setdefault(event["user_id"], deque(maxlen=FEATURES.co_window))
        for item in recent:
            if item != event["item_id"]:
                expected[item, event["item_id"]] += 1
                expected[event["item_id"], item] += 1
        recent.append(event["item_id"])
    assert found == expected


def test_a_command_is_measured_with_its_children(tmp_path: Path) -> None:
    child = "import time; held = bytearray(200 * 2**20); time.sleep(2)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    measured = measure([sys.executable, "-c", code], tmp_path / "log")
    assert measured.seconds > 2
    assert 200 / 1024 < measured.peak_gib < 300 / 1024
    with pytest.raises(RuntimeError, match="no such folder"):
        measure([sys.executable, "-c", "raise SystemExit('no such folder')"], tmp_path / "log")


def test_stage_seconds_are_those_that_the_jobs_wrote(tmp_path: Path) -> None:
    stages = tmp_path / "2026-03-31" / "full" / "stages"
    stages.mkdir(parents=True)
    (stages / "build_features.json").write_text(json.dumps({"stage": "build_features", "seconds": 1.5}))
    assert stage_seconds(tmp_path, "2026-03-31", "full") == {"build_features": 1.5}


def test_a_generated_snapshot_is_whole_and_its_reads_are_timed(tmp_path: Path) -> None:
    SnapshotWorld(users=300, items=80, shards=2).write(tmp_path / "s")
    snapshot = Snapshot(tmp_path / "s")
    snapshot.verify()
    rows = [row for shard in snapshot.shards for row in snapshot.requests(shard)]
    assert {row.key for row in rows} == {f"u{n}" for n in range(300)}
    assert all(len(set(row.candidates.tolist())) == len(row.candidates) <= 20 for row in rows)
    assert any(row.similar_counts.any() for row in rows)

    read = measure_reads(tmp_path / "s", users=20, seed=1)
    assert set(read["us"]) == {"row", *BUILT_IN}
    assert all(0 < times["p50"] <= times["p99"] for times in [read["tools_us"], *read["us"].values()])


def test_figures_are_a_list_of_name_value_unit_context(tmp_path: Path) -> None:
    measured = [figures.Figure("features.night_over_full", 0.25, "ratio", {"world": "5m"})]
    figures.write_figures(measured, tmp_path / "latest.json")
    figures.print_figures(measured, Console(file=(tmp_path / "out").open("w")))
    assert json.loads((tmp_path / "latest.json").read_text()) == [
        {"name": "features.night_over_full", "value": 0.25, "unit": "ratio", "context": {"world": "5m"}}
    ]


@pytest.mark.spark
@pytest.mark.e2e
def test_a_killed_job_leaves_whole_tables_and_can_be_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    world = World(events=500, users=20, items=20, days=5)
    done = list(drill.drill(tmp_path, world, kills=2, seed=38, jobs=["build_features"]))
    assert [kill.way.name for kill in done] == ["first", "next"]
    assert [kill.faults for kill in done] == [[], []]
    assert any(kill.was_running for kill in done)
