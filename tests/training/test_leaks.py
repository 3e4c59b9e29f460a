"""No token before the answer depends on which item was really chosen; what does is found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from recthinker.agent import Agent
from recthinker.errors import ConfigError
from recthinker.inference import ScriptedEngine
from recthinker.inference.scripted import Planner
from recthinker.lookup import Snapshot
from recthinker.settings import RankingName, Settings
from recthinker.training.leaks import LeakCheck, require_cut
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.rollout import Rollout, roll_out
from recthinker.training.stage import StageResult
from tests import little_world as world


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return world.snapshot(tmp_path / "s")


def agent_of(settings: Settings, ranking: RankingName = "labels") -> Agent:
    agent = world.agent(settings)
    return replace(agent, settings=agent.settings.model_copy(update={"ranking": ranking}))


def drawn(agent: Agent, snapshot: Snapshot, target: str) -> Rollout:
    """Ann's episode, with an item declared as the one that she chose."""
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    rows = [snapshot.request("ann")]
    targets = {"ann": snapshot.items.code(target)}
    [[one]] = roll_out(engine, agent, snapshot.items, rows, targets, rollouts=1, max_in_flight=1)
    return one


@pytest.mark.parametrize("ranking", ["labels", "generate"])
def test_an_episode_is_the_same_whichever_item_is_the_target(
    settings: Settings, snapshot: Snapshot, ranking: RankingName
) -> None:
    agent = agent_of(settings, ranking)
    one, other = (drawn(agent, snapshot, item) for item in ("i3", "i6"))
    assert one.target != other.target
    assert one.ids == other.ids
    check = LeakCheck(agent, snapshot)
    assert [check.suspicion(one), check.suspicion(other)] == ["", ""]
    assert not check.has_leak(one)


def leaky_prompt(rollout: Rollout) -> Rollout:
    """The target's label in the place of another's, among the candidates shown."""
    ids = list(rollout.ids)
    shown = [place for place in range(rollout.prompt_length) if ids[place] in world.chat().label_ids]
    other = next(place for label, place in enumerate(shown) if label != rollout.target)
    ids[other] = world.chat().label_ids[rollout.target]
    return replace(rollout, ids=ids)


def leaky_result(rollout: Rollout) -> Rollout:
    """The strongest level in a result is the target's."""
    ids, chat = list(rollout.ids), world.chat()
    place = next(p for p in range(rollout.prompt_length, len(ids)) if not rollout.mask[p] and ids[p] in chat.label_ids)
    ids[place] = chat.label_ids[rollout.target]
    assert ids != rollout.ids
    return replace(rollout, ids=ids)


def other_labels(rollout: Rollout) -> Rollout:
    """Labels that stand for other items than those that were shown."""
    return replace(rollout, labels=(*rollout.labels[1:], rollout.labels[0]))


@pytest.mark.parametrize("spoil", [leaky_prompt, leaky_result, other_labels])
def test_what_does_not_come_from_the_request_alone_is_found(
    settings: Settings, snapshot: Snapshot, spoil: Callable[[Rollout], Rollout]
) -> None:
    agent = agent_of(settings)
    check = LeakCheck(agent, snapshot)
    one = drawn(agent, snapshot, "i6")
    assert not check.has_leak(one)
    assert check.suspicion(spoil(one)) == "what it read does not come from the request alone"
    assert check.has_leak(spoil(one))


def test_a_target_in_the_history_shown_is_found(settings: Settings, snapshot: Snapshot) -> None:
    agent = agent_of(settings)
    one = drawn(agent, snapshot, "i6")
    # ann has seen i1.
    seen = replace(one, labels=tuple("i1" if label == one.target else item for label, item in enumerate(one.labels)))
    assert "history" in LeakCheck(agent, snapshot).suspicion(seen)


def test_a_request_that_the_snapshot_does_not_know_is_not_trusted(settings: Settings, snapshot: Snapshot) -> None:
    agent = agent_of(settings)
    stranger = replace(drawn(agent, snapshot, "i6"), key="zoe#2.0")
    assert "does not know" in LeakCheck(agent, snapshot).suspicion(stranger)


def test_statistics_must_be_those_of_the_training_cut(settings: Settings, snapshot: Snapshot) -> None:
    training = {"training": {"holdout_last": 11}}
    plan = RetrainPlan(world.DS, "r", (), None, None, promote=False, mlflow_run="", settings=training)
    told = StageResult("collect", "", {}, tables={"item_metadata": 3, "held_out": 1}, cut="holdout_last_11")
    require_cut(plan, told, snapshot)
    for other in (
        replace(told, cut="holdout_last_1"),
        replace(told, tables={"item_metadata": 4}),
        replace(told, tables={}),
    ):
        with pytest.raises(ConfigError, match="should have read cut holdout_last_11"):
            require_cut(plan, other, snapshot)
    with pytest.raises(ConfigError, match="found cut holdout_last_11 of 2024-03-10"):
        require_cut(replace(plan, ds="2024-03-11"), told, snapshot)
