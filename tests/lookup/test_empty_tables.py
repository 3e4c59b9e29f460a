"""A world without relations, similar users or co-interactions: snapshot and tools say that there is nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recthinker.lookup import Snapshot, nightly_requests, write_snapshot
from recthinker.settings import Settings
from recthinker.tables.schemas import CO_INTERACTION, ITEM_RELATION, SIMILAR_USERS
from recthinker.tools import Scene, Toolbox, ToolCall, Words
from tests import little_world as world


@pytest.mark.parametrize("tool", ["co_interactions", "similar_users", "item_relations"])
def test_tools_find_nothing_and_say_so(tmp_path: Path, settings: Settings, tool: str) -> None:
    bare = replace(
        world.features(),
        item_relation=ITEM_RELATION.arrow_schema().empty_table(),
        similar_users=SIMILAR_USERS.arrow_schema().empty_table(),
        co_interaction=CO_INTERACTION.arrow_schema().empty_table(),
    )
    asked = nightly_requests(world.candidates(), bare.user_history)
    write_snapshot(tmp_path / "s", asked, bare, ds=world.DS, shards=1, min_users=2)
    snapshot = Snapshot(tmp_path / "s")
    scene = Scene(snapshot.items, snapshot.request("ann"), np.arange(4))
    assert Toolbox(settings.tools).call(scene, ToolCall(tool)).segments == (Words("nothing"),)
