import math
from dataclasses import replace
from pathlib import Path

import pytest

from recthinker.agent import Agent, Outcome
from recthinker.inference import ScriptedEngine
from recthinker.inference.scripted import Planner
from recthinker.settings import RankingName, Settings
from recthinker.training.rollout import Rollout, roll_out
from tests import little_world as world


def groups(settings: Settings, folder: Path, ranking: RankingName = "labels", rollouts: int = 2) -> list[list[Rollout]]:
    agent = world.agent(settings)
    agent = replace(agent, settings=agent.settings.model_copy(update={"ranking": ranking}))
    return roll(agent, folder, rollouts)


def roll(agent: Agent, folder: Path, rollouts: int) -> list[list[Rollout]]:
    snapshot = world.snapshot(folder / "s")
    rows = [snapshot.request(key) for key in ("bob", "ann")]
    targets = {"ann": snapshot.items.code("i5"), "bob": snapshot.items.code("i4")}
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))
    return roll_out(engine, agent, snapshot.items, rows, targets, rollouts=rollouts, max_in_flight=4)


def test_groups_come_in_the_order_of_the_requests_each_by_sample(settings: Settings, tmp_path: Path) -> None:
    told = [[(one.key, one.sample) for one in group] for group in groups(settings, tmp_path)]
    assert told == [[("bob", 0), ("bob", 1)], [("ann", 0), ("ann", 1)]]


@pytest.mark.parametrize("ranking", ["labels", "generate"])
def test_the_answer_begins_after_the_token_that_asks_for_it(
    settings: Settings, tmp_path: Path, ranking: RankingName
) -> None:
    chat = world.chat()
    for (one, _), count in zip(groups(settings, tmp_path, ranking), (2, 4), strict=True):
        assert one.ids[one.answer_at - 1] == chat.rank_id
        answer = one.ids[one.answer_at :]
        # One label and the end, or the whole list and the end.
        assert len(answer) == (2 if ranking == "labels" else count + 1)
        assert answer[0] == chat.label_ids[one.scores.index(max(one.scores))]


def test_the_target_is_ranked_by_its_label(settings: Settings, tmp_path: Path) -> None:
    ann = groups(settings, tmp_path)[1][0]
    assert ann.labels[ann.target] == "i5"
    assert replace(ann, scores=(0.1, 0.4, 0.2, 0.3), target=2).rank == 3
    # Of equal scores the label shown first is ahead.
    assert [replace(ann, scores=(0.2, 0.2, 0.1, 0.1), target=label).rank for label in range(4)] == [1, 2, 3, 4]


def test_without_an_answer_there_is_no_rank(settings: Settings, tmp_path: Path) -> None:
    agent = world.agent(settings)
    short = replace(agent, settings=agent.settings.model_copy(update={"max_episode_tokens": 64}))
    one = roll(short, tmp_path, 1)[0][0]
    assert (one.status, one.scores, one.rank) == (str(Outcome.FALLBACK_INVALID), (), math.inf)
    assert one.answer_at == len(one.ids)
