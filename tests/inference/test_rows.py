"""Rows of users whose ranking stands, made by columns: those that their episodes' own rows are."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from recthinker.agent import Agent, Episode, Outcome, StopReason
from recthinker.agent.record import trajectory_row
from recthinker.inference import ScriptedEngine
from recthinker.inference.earlier import EarlierNight
from recthinker.inference.rows import trajectory_table
from recthinker.inference.scripted import Planner
from recthinker.inference.shard import run_shard
from recthinker.lookup import Snapshot
from recthinker.tables.schemas import TRAJECTORIES
from tests import little_world as world
from tests.inference.test_shard import RUN

NEXT_DS = "2024-03-11"
SCHEMA = TRAJECTORIES.arrow_schema()


@pytest.fixture
def recorded(tmp_path: Path, agent: Agent, snapshot: Snapshot) -> list[dict[str, Any]]:
    """A night's rows."""
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    run_shard(tmp_path / "first", RUN, engine, agent, snapshot, 0, max_in_flight=2)
    rows: list[dict[str, Any]] = pq.read_table(tmp_path / "first" / "trajectories.parquet").to_pylist()
    return rows


def night(root: Path, agent: Agent, rows: list[dict[str, Any]]) -> EarlierNight:
    table = pa.Table.from_pylist(rows, SCHEMA)
    write_deltalake(str(root / "trajectories"), table, partition_by=["ds"])
    made_with = {"model_version": "m/1", "prompt_version": agent.prompt_version}
    return EarlierNight(root, ds=RUN.ds, version=0, users=list(world.HISTORIES), **made_with)


def gone_through(earlier: EarlierNight, agent: Agent, snapshot: Snapshot) -> list[Episode]:
    episodes = [earlier.unchanged(agent, snapshot.items, row) for row in snapshot.requests(0)]
    return [episode for episode in episodes if episode]


def versions(agent: Agent) -> dict[str, str]:
    """Tonight's: other versions of tables."""
    tables = {"table:user_history": "7", "table:co_interaction": "8", "table:items": "9"}
    return {"model": "m/1", "prompt": agent.prompt_version, **tables}


def one_by_one(episodes: list[Episode], agent: Agent) -> list[dict[str, Any]]:
    """The rows as they are made of episodes."""
    rows = [trajectory_row(episode, ds=NEXT_DS, versions=versions(agent)) for episode in episodes]
    return by_user(pa.Table.from_pylist(rows, SCHEMA))


def by_user(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=lambda row: row["user_id"])


def test_they_are_the_rows_of_the_episodes(
    tmp_path: Path, agent: Agent, snapshot: Snapshot, recorded: list[dict[str, Any]]
) -> None:
    earlier = night(tmp_path, agent, recorded)
    episodes = gone_through(earlier, agent, snapshot)

    table = trajectory_table(episodes, earlier, ds=NEXT_DS, versions=versions(agent))

    assert len(episodes) == 4
    assert table.schema.equals(SCHEMA)
    assert by_user(table) == one_by_one(episodes, agent)
    assert {version for row in recorded for call in row["tool_calls"] for _, version in call["tables"]} == set()
    assert {version for row in by_user(table) for call in row["tool_calls"] for _, version in call["tables"]} == {7, 8}


def test_what_follows_from_tokens_is_taken_and_the_rest_is_made_anew(
    tmp_path: Path, agent: Agent, snapshot: Snapshot, recorded: list[dict[str, Any]]
) -> None:
    for row in recorded:
        row["turns"] = [turn | {"text": "as recorded"} for turn in row["turns"]]
        row["tool_calls"] = [call | {"rows": 99, "ok": False, "keys": None} for call in row["tool_calls"]]
    earlier = night(tmp_path, agent, recorded)
    episodes = gone_through(earlier, agent, snapshot)

    rows = by_user(trajectory_table(episodes, earlier, ds=NEXT_DS, versions=versions(agent)))

    expected = one_by_one(episodes, agent)
    assert {turn["text"] for row in rows for turn in row["turns"]} == {"as recorded"}
    assert [row["tool_calls"] for row in rows] == [row["tool_calls"] for row in expected]


def test_a_row_whose_labels_were_other_items_or_none_is_not_taken(
    tmp_path: Path, agent: Agent, snapshot: Snapshot, recorded: list[dict[str, Any]]
) -> None:
    by_id = {row["user_id"]: row for row in recorded}
    for row in recorded:
        row["turns"] = [turn | {"text": "as recorded"} for turn in row["turns"]]
    known = dict(by_id["ann"]["versions"])
    backwards = json.dumps(json.loads(known["labels"])[::-1])
    by_id["ann"]["versions"] = list((known | {"labels": backwards}).items())
    by_id["bob"]["versions"] = [(name, value) for name, value in by_id["bob"]["versions"] if name != "labels"]
    by_id["cat"]["tool_calls"] = []
    earlier = night(tmp_path, agent, recorded)
    episodes = gone_through(earlier, agent, snapshot)

    rows = by_user(trajectory_table(episodes, earlier, ds=NEXT_DS, versions=versions(agent)))

    assert rows[:3] == one_by_one(episodes, agent)[:3]
    assert {turn["text"] for turn in rows[3]["turns"]} == {"as recorded"}


def test_who_ran_is_told_beside_who_was_kept(
    tmp_path: Path, agent: Agent, snapshot: Snapshot, recorded: list[dict[str, Any]]
) -> None:
    earlier = night(tmp_path, agent, [row for row in recorded if row["user_id"] in ("ann", "dan")])
    episodes = gone_through(earlier, agent, snapshot)
    cut = Episode.start(agent, snapshot.items, snapshot.request("bob"))
    cut.fall_back(Outcome.FALLBACK_TIMEOUT, StopReason.TIMEOUT)
    everybody = [episodes[0], cut, episodes[1]]

    rows = by_user(trajectory_table(everybody, earlier, ds=NEXT_DS, versions=versions(agent)))

    assert [row["status"] for row in rows] == ["unchanged", "fallback_timeout", "unchanged"]
    assert rows == one_by_one(everybody, agent)
