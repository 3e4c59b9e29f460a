"""A date built on top of an earlier one has the same tables as the same date built from scratch."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from recthinker.features import build_features
from recthinker.settings import FeatureSettings, Settings
from recthinker.tables import schemas
from recthinker.tables.arrow import read_arrow
from recthinker.tables.store import TableStore
from tests import tiny_world
from tests.features.rows import event

pytestmark = [pytest.mark.spark, pytest.mark.slow]

FIRST = datetime(2024, 3, 1, tzinfo=UTC)


def world(seed: int, *, users: int = 14, items: int = 10, events: int = 220, days: int = 9) -> list[tiny_world.Row]:
    """Random histories of `days` days: ties in time, repeated items, impressions, and late arrivals."""
    rng = random.Random(seed)
    rows: dict[tuple[Any, ...], tiny_world.Row] = {}
    while len(rows) < events:
        time = FIRST + timedelta(hours=rng.randrange(24 * days))
        late = timedelta(days=rng.choice((1, 2, 5))) if rng.random() < 0.15 else timedelta(minutes=5)
        row = event(
            f"u{min(rng.randrange(users), rng.randrange(users)):02d}",
            f"i{min(rng.randrange(items), rng.randrange(items)):02d}",
            time,
            event_type=rng.choice(("view", "view", "purchase", "impression")),
            rating=rng.choice((None, 1.0, 2.5, 4.0)),
            ingested_at=None if rng.random() < 0.5 else time + late,
        )
        rows[row["user_id"], row["item_id"], time, row["event_type"]] = row
    return list(rows.values())


def land(root: Path, spark: SparkSession, rows: list[tiny_world.Row]) -> TableStore:
    store = TableStore(root, spark)
    catalogue = [
        {
            "item_id": f"i{n:02d}",
            "title": f"Title {n}",
            "description": None,
            "categories": [f"c{n % 3}", "all"],
            "attributes": {},
        }
        for n in range(12)
    ]
    people = [{"user_id": f"u{n:02d}", "attributes": {"age": str(n)}} for n in range(0, 14, 2)]
    tables = {"interactions": rows, "items": catalogue, "users": people}
    tiny_world.land(store, {**tables, "item_relations": tiny_world.item_relations()[:1]})
    return store


def tables_of(root: Path, ds: str) -> dict[str, list[str]]:
    """Each feature table's rows of `ds`, as sorted text."""
    rows = {table.name: read_arrow(root, table).to_pylist() for table in schemas.FEATURES}
    return {name: sorted(_text(row) for row in found if row["ds"] == ds) for name, found in rows.items()}


def _text(row: dict[str, Any]) -> str:
    return str({name: sorted(value) if name == "attributes" else value for name, value in row.items()})


def day(n: int) -> str:
    return str((FIRST + timedelta(days=n)).date())


@pytest.fixture
def small(settings: Settings) -> FeatureSettings:
    """Limits that a small world reaches."""
    limits = {"co_window": 4, "history_max_events": 6, "similar_items": 5, "similar_users_per_item": 4}
    return settings.features.model_copy(update={**limits, "co_min_support": 2, "co_top_k": 4, "similar_top_k": 3})


# The world's last day is 8, its last arrival is on day 13: night 15 has nothing new.
@pytest.mark.parametrize(("seed", "nights"), [(1, (3, 4, 7, 8)), (2, (6, 14, 15))])
def test_nights_on_top_of_each_other_equal_a_build_from_scratch(
    seed: int, nights: tuple[int, ...], spark: SparkSession, small: FeatureSettings, tmp_path: Path
) -> None:
    rows = world(seed)
    nightly = land(tmp_path / "nightly", spark, rows)
    scratch = land(tmp_path / "scratch", spark, rows)
    last = day(nights[-1])

    built = [build_features(nightly, day(n), small, run_id=f"night{n}") for n in nights]

    bases = [summary.plan.base.ds if summary.plan.base else None for summary in built]
    assert bases == [None, *(day(n) for n in nights[:-1])]
    build_features(scratch, last, small, run_id="scratch")
    expected = tables_of(tmp_path / "scratch", last)
    assert all(expected.values())
    assert tables_of(tmp_path / "nightly", last) == expected
