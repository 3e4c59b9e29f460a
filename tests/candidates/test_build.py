import shutil
from dataclasses import replace

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from recthinker.candidates import candidates, write_candidates
from recthinker.candidates.build import weighed_pairs
from recthinker.errors import TableContractError
from recthinker.features import known_interactions
from recthinker.features.plan import plan_candidates
from recthinker.settings import CandidateSettings, Settings, load_settings
from recthinker.tables import schemas
from recthinker.tables.arrow import table_version
from recthinker.tables.contract import conform
from recthinker.tables.schemas import CO_INTERACTION, ITEM_METADATA, USER_HISTORY
from recthinker.tables.spark import spark_schema
from recthinker.tables.status import read_status, write_status
from recthinker.tables.store import TableStore
from tests import tiny_world

pytestmark = pytest.mark.spark


def build(built: TableStore, settings: CandidateSettings, parts: int | None = None) -> DataFrame:
    interactions = built.read(schemas.INTERACTIONS)
    if parts:
        interactions = interactions.repartition(parts, "item_id")
    features = load_settings("test", environ={}).features
    tables = [built.read(table, ds=tiny_world.DS) for table in (USER_HISTORY, CO_INTERACTION, ITEM_METADATA)]
    rows = candidates(interactions, *tables, ds=tiny_world.DS, settings=settings, features=features)
    return conform(schemas.CANDIDATES, rows)


def lists(df: DataFrame) -> dict[str, list[str]]:
    return {row.user_id: [item.item_id for item in row["items"]] for row in df.collect()}


def owned() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in tiny_world.interactions():
        found.setdefault(row["user_id"], set()).add(row["item_id"])
    return found


def test_candidates_are_full_unique_and_never_from_the_history(
    built_store: TableStore, candidate_settings: CandidateSettings
) -> None:
    found = lists(build(built_store, candidate_settings))

    # u12, who has one event, is among them.
    assert set(found) == set(tiny_world.HISTORIES)
    for user, items in found.items():
        assert len(items) == len(set(items)) == candidate_settings.max_items
        assert not set(items) & owned()[user]


def test_candidates_are_all_the_rest_where_the_catalogue_ends(
    built_store: TableStore, candidate_settings: CandidateSettings
) -> None:
    found = lists(build(built_store, candidate_settings.model_copy(update={"max_items": 26})))

    for user, items in found.items():
        assert set(items) == set(tiny_world.item_ids()) - owned()[user]


def test_candidates_are_best_first_with_their_sources(
    built_store: TableStore, candidate_settings: CandidateSettings
) -> None:
    rows = build(built_store, candidate_settings).collect()

    for row in rows:
        scores = [item.score for item in row["items"]]
        assert scores == sorted(scores, reverse=True)
    sources = {source for row in rows for item in row["items"] for source in item.sources}
    assert sources == {"als", "co_interaction", "popularity"}


def test_candidates_do_not_depend_on_the_order_of_input(
    built_store: TableStore, candidate_settings: CandidateSettings
) -> None:
    one, other = build(built_store, candidate_settings), build(built_store, candidate_settings, parts=4)

    assert sorted(one.collect()) == sorted(other.collect())


def write(store: TableStore, settings: Settings, interactions: DataFrame | None = None) -> int:
    """Candidates of `interactions`; None: of all that are known."""
    version = 0
    if interactions is None:
        version = table_version(store.root, schemas.INTERACTIONS)
        interactions = known_interactions(store, ds=tiny_world.DS, settings=settings.features)
    return write_candidates(
        interactions,
        store,
        interactions_version=version,
        ds=tiny_world.DS,
        settings=settings.candidates,
        features=settings.features,
        run_id="test",
    )


@pytest.fixture
def own(built_store: TableStore, settings: Settings) -> TableStore:
    """The built tables in a store of this test's own."""
    shutil.copytree(built_store.root, settings.paths.warehouse)
    return TableStore(settings.paths.warehouse, built_store.spark)


def test_write_candidates_checks_publishes_and_records(own: TableStore, settings: Settings) -> None:
    users = write(own, settings)

    assert users == own.read(schemas.CANDIDATES, ds=tiny_world.DS).count() == 12
    (row,) = [row for row in read_status(own.root, tiny_world.DS) if row.table == "candidates"]
    assert (row.rows, row.run_id, row.warnings) == (12, "test", [])
    assert row.checks
    plan = plan_candidates(own.root, tiny_world.DS, settings.features, settings.candidates)
    assert plan.reason is None


def test_candidates_for_far_fewer_users_than_usual_are_not_published(own: TableStore, settings: Settings) -> None:
    (status, *_) = read_status(own.root, tiny_world.DS)
    for day in ("2024-03-01", "2024-03-02", "2024-03-03"):
        write_status(own.root, replace(status, ds=day, table="candidates", rows=100))

    with pytest.raises(TableContractError, match="rows_dropped"):
        write(own, settings)
    assert not DeltaTable.is_deltatable(own.path(schemas.CANDIDATES))


def test_write_candidates_needs_the_features(store: TableStore, settings: Settings) -> None:
    with pytest.raises(TableContractError, match="user_history"):
        write(store, settings, tiny_world.frames(store.spark)["interactions"])


def typed(spark: SparkSession, *events: tuple[str, str, str]) -> DataFrame:
    """Interactions of user, item and type; nothing else of them counts here."""
    return spark.createDataFrame(list(events), "user_id string, item_id string, event_type string")


def test_pairs_weigh_what_their_events_weigh(spark: SparkSession, settings: Settings) -> None:
    weights = {"impression": 0.0, "view": 0.1, "purchase": 5.0}
    features = settings.features.model_copy(update={"event_weights": weights})
    views = [("u", "a", "view")] * 3
    events = typed(spark, *views, ("u", "a", "purchase"), ("u", "b", "impression"), ("u", "c", "wishlist"))

    rows = {row.item_id: row.weight for row in weighed_pairs(events, features).collect()}

    # a: 3 * 0.1 + 5, exactly; a wishlist is named nowhere and weighs 1.
    assert rows == {"a": 5.3, "b": 0.0, "c": 1.0}


def test_item_that_was_only_shown_may_be_recommended(
    spark: SparkSession, candidate_settings: CandidateSettings, settings: Settings
) -> None:
    seen = [("u", "a", "impression"), ("u", "a", "view"), ("u", "b", "impression"), ("v", "a", "impression")]
    events = typed(spark, *seen, ("w", "b", "view"))
    ranks = [("2024-03-10", item, item, [], {}, 0, rank, None) for rank, item in enumerate("abc", 1)]
    nothing = {table: spark.createDataFrame([], spark_schema(table)) for table in (USER_HISTORY, CO_INTERACTION)}
    metadata = spark.createDataFrame(ranks, spark_schema(ITEM_METADATA))

    rows = candidates(
        events, *nothing.values(), metadata, ds="2024-03-10", settings=candidate_settings, features=settings.features
    )

    # u has a, which it was shown and viewed; v was shown a and has nothing, and ALS does not know v.
    assert {user: set(items) for user, items in lists(rows).items()} == {
        "u": {"b", "c"},
        "v": set("abc"),
        "w": {"a", "c"},
    }
    (of_v,) = rows.where("user_id = 'v'").collect()
    assert {source for item in of_v["items"] for source in item.sources} == {"popularity"}
