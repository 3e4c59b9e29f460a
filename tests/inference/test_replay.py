"""A recorded episode run again: the same where nothing changed, and every difference told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recthinker.agent import Agent
from recthinker.agent.record import trajectory_row
from recthinker.errors import ConfigError, SnapshotError
from recthinker.inference import ScriptedEngine, run_episodes
from recthinker.inference.plan import InferencePlan
from recthinker.inference.replay import replay
from recthinker.inference.scripted import Planner
from recthinker.settings import Settings
from tests import little_world as world


@pytest.fixture
def scripted(settings: Settings) -> Settings:
    inference = settings.inference.model_copy(update={"engine": "scripted"})
    return settings.model_copy(update={"inference": inference})


@pytest.fixture
def night(tmp_path: Path, scripted: Settings) -> tuple[InferencePlan, dict[str, Any]]:
    """A run's plan, and what it recorded of ann."""
    agent: Agent = world.agent(scripted)
    snapshot = world.snapshot(tmp_path / "s")
    (tmp_path / "model").mkdir()
    agent.chat.save(tmp_path / "model" / "tokenizer.json")
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    (episode,) = run_episodes(engine, agent, snapshot.items, [snapshot.request("ann")], max_in_flight=1)
    plan = InferencePlan(
        ds=world.DS,
        run_id="r",
        model_version="m/1",
        model_path=str(tmp_path / "model"),
        prompt_version=agent.prompt_version,
        snapshot=str(tmp_path / "s"),
        shards=[0],
        users=4,
        table_versions={},
    )
    return plan, trajectory_row(episode, ds=world.DS, versions={})


def test_the_same_comes_out(night: tuple[InferencePlan, dict[str, Any]], scripted: Settings) -> None:
    found = replay(night[0], scripted, night[1])

    assert found.is_same
    assert all(step.is_same for step in found.steps)
    assert [step.role for step in found.steps][:3] == ["prompt", "agent", "tool"]
    assert found.drift == 0


def test_differences_are_told_turn_by_turn(night: tuple[InferencePlan, dict[str, Any]], scripted: Settings) -> None:
    plan, row = night
    turns = [dict(turn) for turn in row["turns"]]
    turns[2]["text"] = "something else"
    scores = [row["scores"][0] - 0.5, *row["scores"][1:]]
    other = row | {"turns": turns[:-1], "scores": scores, "token_ids": row["token_ids"][:-1]}

    found = replay(plan, scripted, other)

    assert not found.is_same
    assert [place for place, step in enumerate(found.steps) if not step.is_same] == [2, len(turns) - 1]
    assert found.drift == pytest.approx(0.5)


def test_what_can_no_longer_be_replayed_is_said(
    night: tuple[InferencePlan, dict[str, Any]], scripted: Settings
) -> None:
    plan, row = night
    with pytest.raises(ConfigError, match="prompts of today are of version"):
        replay(replace(plan, prompt_version="old"), scripted, row)
    with pytest.raises(SnapshotError, match="no request 'eve'"):
        replay(plan, scripted, row | {"user_id": "eve"})
