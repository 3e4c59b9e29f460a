"""What a plan says of a warehouse whose tables were built, changed and spoilt in known ways."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from recthinker.errors import ConfigError, TableContractError
from recthinker.features.definitions import candidates_definition
from recthinker.features.plan import FeaturePlan, TablePlan, plan_candidates, plan_features, plan_range
from recthinker.settings import load_settings
from recthinker.tables import schemas
from recthinker.tables.status import read_status, write_status
from tests.features import built_world as world
from tests.features.built_world import event

SETTINGS = load_settings("test", environ={})
FEATURES = SETTINGS.features
ONE, TWO, THREE = "2024-03-01", "2024-03-02", "2024-03-03"
EVENT_TABLES = {table.name for table in (*schemas.FEATURES, *schemas.STATE)} - {"item_relation"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    world.land(tmp_path)
    return tmp_path


@pytest.fixture
def built(root: Path) -> Path:
    """The first date from scratch, the second on top of it."""
    world.build(root, ONE, FEATURES)
    world.build(root, TWO, FEATURES, base=ONE)
    return root


def reasons(plan: FeaturePlan) -> dict[str, str]:
    return {row.table.name: row.reason for row in plan.tables if row.reason}


def put_status(root: Path, ds: str, table: str, **changes: object) -> None:
    row = next(row for row in read_status(root, ds) if row.table == table)
    write_status(root, replace(row, **changes))  # type: ignore[arg-type]


def test_first_date_is_built_from_scratch(root: Path) -> None:
    plan = plan_features(root, TWO, FEATURES)
    assert reasons(plan) == dict.fromkeys(EVENT_TABLES | {"item_relation"}, "missing")
    assert (plan.base, plan.why_full) == (None, "nothing was built before")
    assert plan.inputs == {"interactions": 0, "items": 0, "users": 0, "item_relations": 0}
    assert {row.rows for row in plan.tables} == {None}


def test_built_date_is_up_to_date(built: Path) -> None:
    plan = plan_features(built, TWO, FEATURES)
    assert plan.to_build == ()
    assert (plan.base, plan.why_full) == (None, None)


def test_next_date_is_built_on_the_one_before(built: Path) -> None:
    plan = plan_features(built, THREE, FEATURES)
    assert set(reasons(plan).values()) == {"missing"}
    assert plan.base is not None
    assert (plan.base.ds, plan.base.pairs, plan.base.changed_users) == (TWO, (ONE, TWO), frozenset())
    assert plan.why_full is None


def test_expectations_are_those_of_the_last_build_of_the_same_kind(root: Path) -> None:
    world.build(root, ONE, FEATURES, seconds=9)
    world.build(root, TWO, FEATURES, base=ONE, seconds=3)
    assert {(row.rows, row.seconds) for row in plan_features(root, THREE, FEATURES).tables} == {(1, 3.0)}
    assert {(row.rows, row.seconds) for row in plan_features(root, "2024-02-28", FEATURES).tables} == {(1, 9.0)}


def test_forced_tables_are_built_and_the_one_that_shares_numbers_too(built: Path) -> None:
    assert reasons(plan_features(built, TWO, FEATURES, force={"user_history"})) == {"user_history": "forced"}
    assert reasons(plan_features(built, TWO, FEATURES, force={"item_state"})) == {
        "item_state": "forced",
        "co_interaction_pairs": "built together with item_state",
    }


def test_unknown_table_cannot_be_forced(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected some of candidates, co_interaction.*found user_histories"):
        plan_features(root, TWO, FEATURES, force={"user_histories"})


def test_missing_landing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableContractError, match="table interactions is not under"):
        plan_features(tmp_path, TWO, FEATURES)


def test_changed_setting_rebuilds_the_tables_that_use_it_and_spoils_the_base(built: Path) -> None:
    other = FEATURES.model_copy(update={"history_max_events": 7})
    plan = plan_features(built, TWO, other)
    assert reasons(plan) == {"user_history": "definition changed"}
    assert plan.why_full == f"{ONE}: user_history definition changed"


def test_one_missing_table_is_built_on_the_base(built: Path) -> None:
    plan = plan_features(built, TWO, FEATURES)
    DeltaTable(built / "table_status").delete(f"ds = '{TWO}' and \"table\" = 'similar_users'")
    plan = plan_features(built, TWO, FEATURES)
    assert reasons(plan) == {"similar_users": "missing"}
    assert plan.base is not None
    assert plan.base.ds == ONE


def test_rows_that_somebody_else_wrote_are_built_again(built: Path) -> None:
    world.append(built, schemas.USER_HISTORY, [world.blank(schemas.USER_HISTORY, TWO) | {"user_id": "u9"}])
    assert reasons(plan_features(built, TWO, FEATURES)) == {"user_history": "rows changed since they were built"}
    assert reasons(plan_features(built, ONE, FEATURES)) == {}


def test_event_that_arrived_in_time_changes_the_dates_that_know_it(built: Path) -> None:
    world.append(built, schemas.INTERACTIONS, [event("u2", "i3", "2024-03-02T12:00")])
    assert reasons(plan_features(built, ONE, FEATURES)) == {}
    plan = plan_features(built, TWO, FEATURES)
    assert reasons(plan) == dict.fromkeys(EVENT_TABLES, "input changed (interactions)")
    assert plan.base is not None
    assert plan.base.ds == ONE
    later = plan_features(built, THREE, FEATURES)
    assert later.base is not None
    assert (later.base.ds, later.base.pairs) == (ONE, (ONE,))


def test_late_event_changes_no_date_built_before_it_arrived(built: Path) -> None:
    world.append(built, schemas.INTERACTIONS, [event("u2", "i3", "2024-03-01T12:00", "2024-03-03T12:00")])
    assert plan_features(built, TWO, FEATURES).to_build == ()
    later = plan_features(built, THREE, FEATURES)
    assert later.base is not None
    assert later.base.ds == TWO


def test_corrected_event_of_the_first_date_leaves_no_base(built: Path) -> None:
    first, *others = world.EVENTS
    world.overwrite(built, schemas.INTERACTIONS, [{**first, "rating": 1.0}, *others])
    plan = plan_features(built, THREE, FEATURES)
    assert (plan.base, plan.why_full) == (None, f"{TWO}: events that it knew changed")


def test_compacted_tables_are_up_to_date_and_a_base(built: Path) -> None:
    world.append(built, schemas.INTERACTIONS, [event("u1", "i3", "2024-03-03T11:00")])
    world.compact(built, schemas.INTERACTIONS)
    assert plan_features(built, TWO, FEATURES).to_build == ()
    later = plan_features(built, THREE, FEATURES)
    assert later.base is not None
    assert later.base.ds == TWO


def test_dimension_that_changed_before_the_cut_off_is_an_input_that_changed(built: Path) -> None:
    version = world.put_users(built, world.USERS | {"u3": {}})
    assert reasons(plan_features(built, TWO, FEATURES)) == {}
    world.commit_at(built, schemas.USERS, version, world.datetime(2024, 3, 2, 12, tzinfo=world.UTC))
    assert reasons(plan_features(built, TWO, FEATURES)) == {"user_profile": "input changed (users)"}
    assert reasons(plan_features(built, ONE, FEATURES)) == {}


def test_version_that_was_not_recorded_counts_as_changed(built: Path) -> None:
    put_status(built, TWO, "item_metadata", inputs={"interactions": 0})
    assert reasons(plan_features(built, TWO, FEATURES)) == {"item_metadata": "input changed (items)"}


def on_the_third(root: Path, table: schemas.Table, version: int) -> FeaturePlan:
    """The plan of the third date, which reads a dimension's `version`; the second does not."""
    world.commit_at(root, table, version, world.datetime(2024, 3, 3, 12, tzinfo=world.UTC))
    assert plan_features(root, TWO, FEATURES).to_build == ()
    return plan_features(root, THREE, FEATURES)


def test_changed_users_are_named_to_the_build(built: Path) -> None:
    users = {"u1": {"age": "21"}, "u3": {"age": "40"}}
    plan = on_the_third(built, schemas.USERS, world.put_users(built, users))
    assert plan.base is not None
    assert plan.base.changed_users == {"u1", "u2", "u3"}


@pytest.mark.parametrize(
    ("categories", "title", "is_base"),
    [
        (world.ITEMS, "Another title", True),
        (world.ITEMS | {"i4": ["Drama"]}, "A title", True),
        (world.ITEMS | {"i3": ["Drama"]}, "A title", False),
        (world.ITEMS | {"i1": ["Drama"]}, "A title", False),
        ({"i1": ["Comedy"], "i2": ["Drama"]}, "A title", False),
    ],
    ids=["text", "new item", "categories that were none", "other categories", "item gone"],
)
def test_items_may_change_but_for_categories(
    built: Path, categories: dict[str, list[str]], title: str, is_base: bool
) -> None:
    plan = on_the_third(built, schemas.ITEMS, world.put_items(built, categories, title))
    assert (plan.base is not None) is is_base
    if not is_base:
        assert plan.why_full == f"{TWO}: categories of items that it knew changed"


def test_item_that_had_events_before_it_was_in_the_catalogue_leaves_no_base(root: Path) -> None:
    world.put_items(root, {"i2": ["Drama"]})
    world.commit_at(root, schemas.ITEMS, 1, world.datetime(2024, 2, 1, tzinfo=world.UTC))
    world.build(root, TWO, FEATURES)
    plan = on_the_third(root, schemas.ITEMS, world.put_items(root, {"i1": ["Comedy"], "i2": ["Drama"]}))
    assert plan.why_full == f"{TWO}: categories of items that it knew changed"


def test_relations_may_change(built: Path) -> None:
    relation = {"head_item_id": "i2", "relation": "by", "tail_id": "d1", "tail_label": None, "tail_item_id": None}
    plan = on_the_third(built, schemas.ITEM_RELATIONS, world.append(built, schemas.ITEM_RELATIONS, [relation]))
    assert plan.base is not None


def spoil_pairs(root: Path) -> None:
    world.delete(root, schemas.CO_INTERACTION_PAIRS, f"ds = '{ONE}'")


def rebuild_first(root: Path) -> None:
    world.build(root, ONE, FEATURES, run_id="again")


def renumber_second(root: Path) -> None:
    world.build(root, TWO, FEATURES, tables=[schemas.ITEM_STATE], run_id="again")


@pytest.mark.parametrize(("spoil", "base"), [(spoil_pairs, None), (rebuild_first, ONE), (renumber_second, ONE)])
def test_pairs_that_do_not_add_up_are_no_base(built: Path, spoil: Callable[[Path], None], base: str | None) -> None:
    spoil(built)
    plan = plan_features(built, THREE, FEATURES)
    assert (plan.base and plan.base.ds) == base
    fault = f"{TWO}: the dates that co_interaction_pairs adds up from do not fit each other"
    assert plan.why_full == (None if base else fault)


def test_newest_date_that_holds_is_the_base(built: Path) -> None:
    world.append(built, schemas.USER_STATE, [world.blank(schemas.USER_STATE, TWO) | {"user_id": "u9"}])
    plan = plan_features(built, THREE, FEATURES)
    assert plan.base is not None
    assert plan.base.ds == ONE


def test_range_names_its_holes(built: Path) -> None:
    world.append(built, schemas.USER_HISTORY, [world.blank(schemas.USER_HISTORY, TWO) | {"user_id": "u9"}])
    plans = plan_range(built, "2024-02-29", THREE, FEATURES)
    assert [plan.ds for plan in plans] == ["2024-02-29", ONE, TWO, THREE]
    assert [len(plan.to_build) for plan in plans] == [9, 0, 1, 9]


def test_range_that_ends_before_it_starts_is_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="expected a last date from 2024-03-02 on, found 2024-03-01"):
        plan_range(root, TWO, ONE, FEATURES)


def build_candidates(root: Path) -> None:
    names = ("user_history", "co_interaction", "item_metadata")
    inputs = {name: DeltaTable(root / name).version() for name in names} | {"interactions": 0}
    version = world.overwrite(root, schemas.CANDIDATES, [world.blank(schemas.CANDIDATES, TWO)], f"ds = '{TWO}'")
    fingerprint = candidates_definition(FEATURES, SETTINGS.candidates)
    write_status(root, world.status(TWO, "candidates", version, fingerprint, inputs))


def candidates_plan(root: Path, **changes: object) -> TablePlan:
    settings = SETTINGS.candidates.model_copy(update=changes)
    return plan_candidates(root, TWO, FEATURES, settings)


def test_candidates_are_up_to_date_until_something_they_are_made_of_changes(built: Path) -> None:
    assert candidates_plan(built).reason == "missing"
    build_candidates(built)
    assert candidates_plan(built).reason is None
    assert candidates_plan(built, rrf_k=21).reason == "definition changed"
    candidates, rebuilt = SETTINGS.candidates, [schemas.CO_INTERACTION]
    assert plan_candidates(built, TWO, FEATURES, candidates, force={"candidates"}).reason == "forced"
    planned = plan_candidates(built, TWO, FEATURES, candidates, rebuilt=rebuilt)
    assert planned.reason == "input changed (co_interaction)"
    world.build(built, THREE, FEATURES, base=TWO)
    assert candidates_plan(built).reason is None
    world.append(built, schemas.INTERACTIONS, [event("u2", "i3", "2024-03-02T12:00")])
    assert candidates_plan(built).reason == "input changed (interactions)"
    world.build(built, TWO, FEATURES, base=ONE, tables=[schemas.ITEM_METADATA])
    assert candidates_plan(built).reason == "input changed (item_metadata)"
