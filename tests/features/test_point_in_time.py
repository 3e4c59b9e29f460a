"""What comes after a date, or arrives too late for it, changes nothing in it, whenever it is built."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from recthinker.features import build_features
from recthinker.features.known import cutoff, end_of
from recthinker.settings import FeatureSettings
from recthinker.tables.schemas import INTERACTIONS
from recthinker.tables.status import read_status
from tests import tiny_world
from tests.features.test_incremental import day, land, small, tables_of, world

__all__ = ["small"]

pytestmark = [pytest.mark.spark, pytest.mark.slow]

DS = day(4)
SEED = 7


def is_known(row: tiny_world.Row, grace_h: float) -> bool:
    in_time = row["ingested_at"] is None or row["ingested_at"] < cutoff(DS, grace_h)
    return bool(row["event_time"] < end_of(DS)) and in_time


def thirty_days_later(rows: list[tiny_world.Row], grace_h: float) -> tuple[list[tiny_world.Row], int]:
    """The rows with everything that D does not know deleted, changed or left, and more of it added; and how many of
    them are events of D and before that did not arrive in time.
    """
    rng = random.Random(SEED)
    kept = [row for row in rows if is_known(row, grace_h)]
    later = [row for row in rows if not is_known(row, grace_h)]
    for row in later:
        fate = rng.randrange(3)
        if fate:
            kept.append(row if fate == 1 else {**row, "rating": 0.5})
    for row in rng.sample(kept, 60):
        late = {**row, "event_type": "cart", "ingested_at": cutoff(DS, grace_h) + timedelta(days=rng.randrange(30))}
        kept.append(late)
    for row in rng.sample(kept, 60):
        time = row["event_time"] + timedelta(days=30)
        kept.append({**row, "event_time": time, "event_date": time.date(), "event_type": "wish", "ingested_at": None})
    kept = list({tuple(row[name] for name in INTERACTIONS.key): row for row in kept}.values())
    late_count = sum(row["event_time"] < end_of(DS) and not is_known(row, grace_h) for row in kept)
    return kept, late_count


def test_date_built_thirty_days_later_is_the_date_built_that_night(
    spark: SparkSession, small: FeatureSettings, tmp_path: Path
) -> None:
    rows = world(SEED)
    that_night = land(tmp_path / "that_night", spark, rows)
    build_features(that_night, DS, small, run_id="that-night")
    changed, late = thirty_days_later(rows, small.arrival_grace_h)
    much_later = land(tmp_path / "later", spark, changed)

    build_features(much_later, DS, small, run_id="later")

    expected = tables_of(tmp_path / "that_night", DS)
    assert all(expected.values())
    assert tables_of(tmp_path / "later", DS) == expected
    recorded = {row.table: row for row in read_status(tmp_path / "later", DS)}
    assert late > 30
    assert recorded["user_history"].late_events == late
    assert recorded["user_history"].events == sum(is_known(row, small.arrival_grace_h) for row in rows)
