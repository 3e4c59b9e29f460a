"""The effect of limits, counted by hand on the tiny world: no user has more than 7 events."""

import pytest
from pyspark.sql import DataFrame

from recthinker.features.caps import Capped, capped
from recthinker.settings import FeatureSettings, load_settings
from recthinker.tables import schemas
from recthinker.tables.store import TableStore
from tests import tiny_world

pytestmark = pytest.mark.spark


def effects(store: TableStore, settings: FeatureSettings) -> dict[str, Capped]:
    def rows(table: schemas.Table) -> DataFrame:
        return store.read(table, ds=tiny_world.DS)

    return {one.table: one for one in capped(rows, store.read(schemas.ITEM_RELATIONS), settings)}


def test_every_limit_tells_what_it_left_out(built_store: TableStore) -> None:
    settings = load_settings("test", environ={}).features

    found = effects(built_store, settings)
    tight = effects(built_store, settings.model_copy(update={"history_max_events": 7}))["user_history"]

    assert set(found) == {"co_interaction", "similar_users", "item_relation", "user_history"}
    assert {one.full for one in found.values()} == {0}
    assert (found["user_history"].left_out, found["item_relation"].left_out) == (0, 0)
    # u01, u02, u05, u09 and u10 have 7 events.
    assert tight.full == sum(text.count(",") == 6 for text in tiny_world.HISTORIES.values()) == 5
    assert str(tight) == "user_history 5 lists at history_max_events 7, 0 left out"
