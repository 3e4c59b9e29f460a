"""What TRL's trainer is given: each rollout's tokens, and an advantage at each that the agent wrote."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recthinker.inference import ScriptedEngine
from recthinker.inference.random_plans import any_plan
from recthinker.inference.scripted import Planner
from recthinker.settings import Settings
from recthinker.training.episode_trainer import ADVANTAGES
from recthinker.training.group_rollouts import GroupRollouts
from recthinker.training.training_requests import TrainingRequests
from tests import little_world as world


@pytest.fixture
def columns(settings: Settings, tmp_path: Path) -> dict[str, Any]:
    """Of one group of Ann's, whose plans are random and so differ."""
    snapshot, agent = world.snapshot(tmp_path / "s"), world.agent(settings)
    engine: Any = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools, random_share=1.0, draw_plan=any_plan))
    requests = TrainingRequests(
        snapshot, [snapshot.request("ann")], {"ann": snapshot.items.code("i3")}, np.array([], np.uint64)
    )
    draw = GroupRollouts(
        engine, agent, requests, settings.rl, k=10, seed=7, max_in_flight=4, before_step=lambda model: 0.0
    )
    trainer = SimpleNamespace(
        state=SimpleNamespace(global_step=0),
        accelerator=SimpleNamespace(process_index=0, unwrap_model=lambda model: model),
        model=None,
        _log_metric=lambda name, value: None,
    )
    return draw([""] * settings.rl.rollouts, trainer)


def test_columns_are_of_one_group_token_by_token(columns: dict[str, Any], settings: Settings) -> None:
    assert {len(column) for column in columns.values()} == {settings.rl.rollouts}
    assert len({tuple(ids) for ids in columns["prompt_ids"]}) == 1
    for name in ("logprobs", "env_mask", ADVANTAGES):
        assert [len(row) for row in columns[name]] == [len(row) for row in columns["completion_ids"]]


def test_turns_earn_the_advantage_of_their_rollout_and_the_answer_one_of_its_own(columns: dict[str, Any]) -> None:
    label_ids, end = world.chat().label_ids, world.chat().end_id
    of_turns = []
    for ids, mask, advantages in zip(columns["completion_ids"], columns["env_mask"], columns[ADVANTAGES], strict=True):
        # The label that was drawn is the last token that the agent wrote; the end after it is ours.
        answer = max(place for place, written in enumerate(mask) if written)
        assert (ids[answer] in label_ids, ids[answer + 1 :]) == (True, [end])
        turns = {value for value, written in zip(advantages[:answer], mask[:answer], strict=True) if written}
        assert len(turns) == 1
        assert not any(value for value, written in zip(advantages, mask, strict=True) if not written)
        of_turns += turns
    assert len(set(of_turns)) > 1
    assert any(row[-2] != earned for row, earned in zip(columns[ADVANTAGES], of_turns, strict=True))
