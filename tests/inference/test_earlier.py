"""Which rankings of the night before stand: those of users for whom every token that is read comes out as it did."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from recthinker.agent import Agent, Outcome
from recthinker.inference import ScriptedEngine
from recthinker.inference.earlier import EarlierNight, again, expected_runs, newest_night
from recthinker.inference.scripted import Planner
from recthinker.inference.shard import run_shard
from recthinker.lookup import Snapshot
from recthinker.tables.schemas import TRAJECTORIES
from tests import little_world as world
from tests.inference.test_batch import Unrenderable
from tests.inference.test_shard import RUN as ONE_NIGHT
from tests.inference.test_shard import Listening

RUN = replace(ONE_NIGHT, ds="2024-03-10", run_id="first", publish_top_n=3)
NEXT = replace(RUN, ds="2024-03-11", run_id="second", table_versions={"items": 5})


@pytest.fixture
def first(tmp_path: Path, agent: Agent) -> Path:
    """A warehouse with one night, and its shard's files beside it."""
    planner = Planner(agent.chat, agent.toolbox.tools)
    run_shard(
        tmp_path / "first", RUN, ScriptedEngine(planner), agent, world.snapshot(tmp_path / "s"), 0, max_in_flight=2
    )
    rows = pq.read_table(tmp_path / "first" / "trajectories.parquet")
    write_deltalake(str(tmp_path / "warehouse" / "trajectories"), rows, partition_by=["ds"])
    return tmp_path


def earlier(root: Path, agent: Agent, **other: Any) -> EarlierNight:
    values = {"model_version": "m/1", "prompt_version": agent.prompt_version, "users": list(world.HISTORIES)}
    return EarlierNight(root / "warehouse", ds=RUN.ds, version=0, **(values | other))


def standing(night: EarlierNight, agent: Agent, snapshot: Snapshot) -> set[str]:
    rows = snapshot.requests(0)
    return {row.user_id for row in rows if night.unchanged(agent, snapshot.items, row)}


def test_where_nothing_changed_all_rankings_stand_and_the_engine_is_not_asked(first: Path, agent: Agent) -> None:
    snapshot, engine = world.snapshot(first / "again"), Listening(Planner(agent.chat, agent.toolbox.tools))

    summary = run_shard(
        first / "second", NEXT, engine, agent, snapshot, 0, max_in_flight=2, earlier=earlier(first, agent)
    )

    assert (summary["outcomes"], engine.asked) == ({"unchanged": 4}, [])
    assert summary["tokens"] == {"prompt": 0, "cached": 0, "generated": 0}
    before, now = (_by_user(first / name / "recommendations.parquet") for name in ("first", "second"))
    same = ("rank", "item_id", "score", "source", "reason", "model_version")
    assert [{name: row[name] for name in same} for row in now] == [{name: row[name] for name in same} for row in before]
    before, now = (_by_user(first / name / "trajectories.parquet") for name in ("first", "second"))
    assert [row["token_ids"] for row in now] == [row["token_ids"] for row in before]
    assert [row["fingerprint"] for row in now] == [row["fingerprint"] for row in before]
    assert {dict(row["versions"])["table:items"] for row in now} == {"5"}


def test_only_who_would_read_something_else_runs(first: Path, agent: Agent) -> None:
    # i4 is among the candidates of ann and bob.
    snapshot = world.snapshot(first / "retitled", titles={"i4": "Title 5"})
    engine = Listening(Planner(agent.chat, agent.toolbox.tools))

    summary = run_shard(
        first / "second", NEXT, engine, agent, snapshot, 0, max_in_flight=2, earlier=earlier(first, agent)
    )

    assert sorted(engine.asked) == ["ann", "bob"]
    assert summary["outcomes"] == {"ranked": 2, "unchanged": 2}


def test_a_lookup_that_tells_something_else_counts_for_who_asked_for_it(first: Path, agent: Agent) -> None:
    rows = _by_user(first / "first" / "trajectories.parquet")
    ann = next(row for row in rows if row["user_id"] == "ann")
    assert "co_interactions" in [call["name"] for call in ann["tool_calls"]]
    snapshot = world.snapshot(first / "again")
    assert again(agent, snapshot.items, snapshot.request("ann"), ann) is not None

    place = ann["agent_mask"].index(0, ann["agent_mask"].index(1))  # the first token of the first result
    other = ann | {"token_ids": [*ann["token_ids"][:place], 0, *ann["token_ids"][place + 1 :]]}
    longer = ann | {"token_ids": [*ann["token_ids"], 0], "agent_mask": [*ann["agent_mask"], 0]}
    shorter = ann | {"token_ids": ann["token_ids"][:place], "agent_mask": ann["agent_mask"][:place]}
    reranked = ann | {"ranking": [*ann["ranking"][:-1], "i1"]}
    for changed in (other, longer, shorter, reranked):
        assert again(agent, snapshot.items, snapshot.request("ann"), changed) is None


def test_how_many_will_run_is_known_before(first: Path, agent: Agent) -> None:
    night = (first / "warehouse", RUN.ds, 0, agent)
    same = world.snapshot(first / "same", shards=2)
    retitled = world.snapshot(first / "retitled", titles={"i4": "Title 5"})

    assert expected_runs(*night, same, model_version="m/1") == 0
    assert expected_runs(*night, retitled, model_version="m/1") == 2
    assert expected_runs(*night, same, model_version="m/2") == 4


def test_who_cannot_be_gone_through_runs(first: Path, agent: Agent) -> None:
    snapshot = world.snapshot(first / "again")
    blind = Agent(Unrenderable(agent.chat.tokenizer), agent.toolbox, agent.settings)

    assert standing(earlier(first, agent), blind, snapshot) == {"ann", "cat", "dan"}
    assert expected_runs(first / "warehouse", RUN.ds, 0, blind, snapshot, model_version="m/1") == 1


def test_other_models_prompts_and_users_are_not_known(first: Path, agent: Agent) -> None:
    snapshot = world.snapshot(first / "again")

    assert standing(earlier(first, agent), agent, snapshot) == set(world.HISTORIES)
    assert standing(earlier(first, agent, model_version="m/2"), agent, snapshot) == set()
    assert standing(earlier(first, agent, prompt_version="p"), agent, snapshot) == set()
    assert standing(earlier(first, agent, users=["cat", "eve"]), agent, snapshot) == {"cat"}
    assert standing(earlier(first, agent, users=["eve"]), agent, snapshot) == set()


def test_a_fallback_does_not_stand(first: Path, agent: Agent) -> None:
    rows = pq.read_table(first / "first" / "trajectories.parquet")
    failed = rows.set_column(
        rows.schema.get_field_index("status"),
        TRAJECTORIES.arrow_schema().field("status"),
        pa.array([str(Outcome.FALLBACK_TIMEOUT), str(Outcome.REPAIRED), "ranked", "unchanged"]),
    )
    write_deltalake(str(first / "other" / "trajectories"), failed, partition_by=["ds"])
    night = EarlierNight(
        first / "other",
        ds=RUN.ds,
        version=0,
        users=list(world.HISTORIES),
        model_version="m/1",
        prompt_version=agent.prompt_version,
    )

    assert standing(night, agent, world.snapshot(first / "again")) == set(failed["user_id"].to_pylist()[2:])


def test_the_newest_night_before_a_date_is_taken(first: Path, tmp_path: Path) -> None:
    warehouse = first / "warehouse"

    assert newest_night(warehouse, "2024-03-11") == ("2024-03-10", 0)
    assert newest_night(warehouse, "2024-03-10") is None
    assert newest_night(tmp_path / "nowhere", "2024-03-11") is None


def _by_user(file: Path) -> list[dict[str, Any]]:
    rows = pq.read_table(file).to_pylist()
    return sorted(rows, key=lambda row: (row["user_id"], row.get("rank", 0)))
