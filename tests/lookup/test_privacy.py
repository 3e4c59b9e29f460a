"""Of other users a snapshot holds, in a user's row, only counts over enough people; tools reach no more."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recthinker.lookup import Snapshot, nightly_requests, write_snapshot
from recthinker.settings import Settings
from recthinker.tools import BUILT_IN, Scene, Toolbox, ToolCall
from tests import little_world as world


@pytest.mark.parametrize("min_users", [2, 3, 4])
def test_counts_over_fewer_people_are_not_in_the_snapshot(tmp_path: Path, min_users: int) -> None:
    rng = np.random.default_rng(min_users)
    users = [f"u{n}" for n in range(12)]
    histories = {user: [f"i{k}" for k in rng.permutation(range(1, 7))[:3]] for user in users}
    rows, everybody = world.features(), pa.array(users)
    events = [[{"item_id": item} for item in histories[user]] for user in users]
    similar = {user: rng.permutation([other for other in users if other != user])[:6].tolist() for user in users}
    neighbours = [[{"user_id": other} for other in similar[user]] for user in users]
    profile = {"user_id": everybody, "top_categories": [["Drama"]] * 12, "attributes": [[("age", "1")]] * 12}
    made = replace(
        rows,
        user_profile=pa.table(
            {**profile, "mean_rating": pa.array([3.0] * 12)},
            schema=pa.schema([(name, rows.user_profile.schema.field(name).type) for name in [*profile, "mean_rating"]]),
        ),
        user_history=pa.table({"user_id": everybody, "events": events}),
        similar_users=pa.table({"user_id": everybody, "neighbours": neighbours}),
    )
    offered = [[{"item_id": f"i{k}", "sources": ["popularity"]} for k in range(1, 7)] for _ in users]
    asked = nightly_requests(pa.table({"user_id": everybody, "items": offered}), made.user_history)
    write_snapshot(tmp_path / "s", asked, made, ds=world.DS, shards=2, min_users=min_users)
    snapshot = Snapshot(tmp_path / "s")

    found = {user: snapshot.request(user).similar_counts.tolist() for user in users}
    true = {user: [sum(f"i{k}" in histories[other] for other in similar[user]) for k in range(1, 7)] for user in users}
    assert found == {user: [n if n >= min_users else 0 for n in counts] for user, counts in true.items()}
    assert any(0 < n < min_users for counts in true.values() for n in counts)


@pytest.mark.parametrize("tool", BUILT_IN)
def test_no_tool_tells_what_is_known_of_others(tmp_path: Path, settings: Settings, tool: str) -> None:
    rows = world.features()
    others = [
        {**row, "attributes": [("age", "SECRET")], "top_categories": ["SECRET"], "mean_rating": 1.0}
        if row["user_id"] != "ann"
        else row
        for row in rows.user_profile.to_pylist()
    ]
    changed = replace(rows, user_profile=pa.Table.from_pylist(others, schema=rows.user_profile.schema))
    toolbox, results = Toolbox(settings.tools), []
    for name, features in (("plain", rows), ("changed", changed)):
        asked = nightly_requests(world.candidates(), features.user_history)
        write_snapshot(tmp_path / name, asked, features, ds=world.DS, shards=1, min_users=world.MIN_USERS)
        snapshot = Snapshot(tmp_path / name)
        results.append(toolbox.call(Scene(snapshot.items, snapshot.request("ann"), np.arange(4)), ToolCall(tool)))
    assert results[0] == results[1]
    assert "SECRET" not in str(results[1])
