"""What refers to versions and dates, found in a warehouse with cuts, runs and nights; built without Spark."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from recthinker.errors import SnapshotError
from recthinker.inference.plan import InferencePlan
from recthinker.registry import TableRead
from recthinker.settings import Settings
from recthinker.tables import schemas
from recthinker.tables.arrow import table_dates
from recthinker.tables.status import write_status
from recthinker.tables.upkeep import Upkept
from recthinker.upkeep import References, find_references, maintain
from tests.features import built_world as world

NOW = datetime(2024, 3, 20, tzinfo=UTC)
DAYS = world.days("2024-03-01", 5)
HISTORY, PAIRS = schemas.USER_HISTORY, schemas.CO_INTERACTION_PAIRS


@pytest.fixture
def warehouse(settings: Settings) -> Path:
    """Landing tables, five dates of histories, of which two are kept."""
    root = settings.paths.warehouse
    world.land(root)
    for ds in DAYS:
        world.build(root, ds, settings.features, tables=[HISTORY])
    return root


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"retention": settings.retention.model_copy(update={"keep_days": 2})})


def find(settings: Settings, reads: Iterable[TableRead] = (), now: datetime = NOW) -> References:
    return find_references(settings.paths, settings.retention, reads, now=now)


def keep(settings: Settings, reads: Iterable[TableRead] = (), **how: Any) -> dict[tuple[str, str], Upkept]:
    done = maintain(settings.paths, settings.retention, reads, now=NOW, run_id="u1", **how)
    return {(Path(one.root).name, one.table): one for one in done}


def pinned(references: References, by: str) -> set[tuple[str, int, str | None]]:
    return {(pin.table, pin.version, pin.ds) for pin in references.pins if pin.by.startswith(by)}


def plan(settings: Settings, ds: str, run_id: str, versions: dict[str, int]) -> None:
    made = InferencePlan(ds, run_id, "m/1", "/m", "p", "/s", [0], 1, versions)
    made.write(settings.paths.runs / ds / run_id)


def publish(root: Path, ds: str, run_id: str, versions: dict[str, int], at: datetime = NOW) -> None:
    row = world.blank(schemas.RUN_MANIFEST, ds)
    row |= {"run_id": run_id, "table_versions": list(versions.items()), "published_at": at}
    world.append(root, schemas.RUN_MANIFEST, [row])


def test_dates_older_than_the_newest_by_keep_days_go(settings: Settings, warehouse: Path) -> None:
    done = keep(settings)
    assert done["warehouse", "user_history"].dates == DAYS[:3]
    assert table_dates(warehouse, HISTORY) == DAYS[3:]
    assert DeltaTable(warehouse / "interactions").to_pyarrow_table().num_rows == len(world.EVENTS)


def test_dates_that_kept_pairs_add_up_from_stay(settings: Settings, warehouse: Path) -> None:
    for ds, base in zip(DAYS, (None, None, DAYS[1], DAYS[2], DAYS[3]), strict=True):
        world.build(warehouse, ds, settings.features, base=base, tables=[PAIRS])
    assert keep(settings)["warehouse", "co_interaction_pairs"].dates == DAYS[:1]


def test_landing_versions_of_kept_dates_are_pinned(settings: Settings, warehouse: Path) -> None:
    world.append(warehouse, schemas.INTERACTIONS, [world.event("u9", "i1", "2024-03-05T01:00")])
    world.build(warehouse, DAYS[4], settings.features, tables=[HISTORY])
    references = find(settings)
    assert pinned(references, f"user_history {DAYS[3]}") == {("interactions", 0, None)}
    assert pinned(references, f"user_history {DAYS[4]}") == {("interactions", 1, None)}
    assert not pinned(references, f"user_history {DAYS[2]}")


def test_cut_pins_the_landing_tables_of_the_warehouse(settings: Settings, warehouse: Path) -> None:
    cut = settings.paths.cuts / "holdout_last_1"
    world.overwrite(cut, schemas.HELD_OUT, [world.blank(schemas.HELD_OUT, DAYS[0])])
    write_status(cut, world.status(DAYS[0], "held_out", 0, "d", {"interactions": 0}))
    found = [pin for pin in find(settings).pins if pin.by == f"held_out {DAYS[0]}"]
    assert [(pin.root, pin.table, pin.version) for pin in found] == [(warehouse, "interactions", 0)]


def test_model_keeps_its_cut_and_a_run_that_does_not_tell_keeps_every_folder(
    settings: Settings, warehouse: Path
) -> None:
    cut = settings.paths.cuts / "holdout_last_1"
    for ds in DAYS:
        world.overwrite(cut, HISTORY, [world.blank(HISTORY, ds)], f"ds = '{ds}'")
    read = TableRead("user_history", 1, DAYS[1], "holdout_last_1", "model m/1")
    done = keep(settings, [read, TableRead("interactions", 0, DAYS[1], None, "model m/1")], dry_run=True)
    assert done["holdout_last_1", "user_history"].dates == [DAYS[0], DAYS[2]]
    assert done["holdout_last_1", "user_history"].pinned == 1
    assert done["warehouse", "user_history"].dates == DAYS[:3]
    done = keep(settings, [replace(read, cut=None)])
    assert done["warehouse", "user_history"].dates == [DAYS[0], DAYS[2]]
    assert table_dates(cut, HISTORY) == [DAYS[1], *DAYS[3:]]


def test_training_that_gave_no_sign_for_vacuum_hours_holds_nothing(settings: Settings, warehouse: Path) -> None:
    def read(hours: int) -> TableRead:
        return TableRead("interactions", 0, DAYS[0], None, "training run t", NOW - timedelta(hours=hours))

    assert settings.retention.vacuum_hours == 168
    assert pinned(find(settings, [read(168)]), "training run t") == {("interactions", 0, DAYS[0])}
    assert not pinned(find(settings, [read(169)]), "training run t")


def test_nights_of_kept_dates_pin_what_they_read(settings: Settings, warehouse: Path) -> None:
    publish(warehouse, DAYS[0], "old", {"user_history": 0})
    publish(warehouse, DAYS[4], "new", {"user_history": 4})
    assert pinned(find(settings), "night") == {("user_history", 4, DAYS[4])}
    keep(settings)
    assert table_dates(warehouse, schemas.RUN_MANIFEST) == [DAYS[0], DAYS[4]]


def test_run_is_open_until_it_is_published(settings: Settings, warehouse: Path) -> None:
    plan(settings, DAYS[0], "r1", {"user_history": 0})
    assert pinned(find(settings), "open run") == {("user_history", 0, DAYS[0])}
    assert keep(settings)["warehouse", "user_history"].dates == DAYS[1:3]
    publish(warehouse, DAYS[0], "r1", {"user_history": 0})
    assert not pinned(find(settings), "open run")


def test_run_that_another_one_overtook_is_given_up_after_vacuum_hours(settings: Settings, warehouse: Path) -> None:
    plan(settings, DAYS[0], "r1", {"user_history": 0})
    today = datetime.now(UTC)
    publish(warehouse, DAYS[0], "r2", {"user_history": 0}, at=today + timedelta(hours=1))
    assert pinned(find(settings, now=today + timedelta(hours=2)), "open run")
    assert not pinned(find(settings, now=today + timedelta(hours=169)), "open run")


def test_plan_that_cannot_be_read_stops_everything(settings: Settings, warehouse: Path) -> None:
    plan(settings, DAYS[0], "r1", {})
    (settings.paths.runs / DAYS[0] / "r1" / "inference_plan.json").write_text("{")
    with pytest.raises(SnapshotError, match="no inference plan"):
        keep(settings)
    assert table_dates(warehouse, HISTORY) == DAYS


def test_outputs_go_only_where_that_is_set(settings: Settings, warehouse: Path) -> None:
    for ds in DAYS:
        publish(warehouse, ds, "r", {})
        world.append(warehouse, schemas.ROLLOUTS, [world.blank(schemas.ROLLOUTS, ds)])
    retention = settings.retention.model_copy(update={"keep_output_days": 3})
    keep(settings.model_copy(update={"retention": retention}))
    assert table_dates(warehouse, schemas.RUN_MANIFEST) == DAYS[2:]
    assert table_dates(warehouse, schemas.ROLLOUTS) == DAYS[2:]


def test_nothing_there_is_nothing_done(settings: Settings) -> None:
    assert keep(settings) == {}
