"""What an answer should say: the planner's reading of the episode up to it, or the item really chosen."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recthinker.agent import Agent
from recthinker.inference import ScriptedEngine
from recthinker.inference.evidence_weights import UNFITTED, EvidenceWeights, Fit, line
from recthinker.inference.random_plans import any_plan
from recthinker.inference.scripted import Planner
from recthinker.settings import Settings
from recthinker.training.answer_teacher import Teacher, answer_teacher, divergence, item_chosen
from recthinker.training.rollout import Rollout, roll_out
from tests import little_world as world

TOLD = frozenset({"co_interactions"})
FITTED = EvidenceWeights({TOLD: Fit({"co_interactions": (line(0.7), line(0.2))})})


@pytest.fixture
def agent(settings: Settings) -> Agent:
    return world.agent(settings)


@pytest.fixture
def rollouts(agent: Agent, tmp_path: Path) -> list[Rollout]:
    """Of one request; what they tell follows the prior's weights."""
    snapshot = world.snapshot(tmp_path)
    engine = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools, random_share=1.0, draw_plan=any_plan))
    targets = {"ann": snapshot.items.code("i5")}
    asked = [snapshot.request("ann")]
    return roll_out(engine, agent, snapshot.items, asked, targets, rollouts=12, max_in_flight=4)[0]


def test_it_says_what_a_fitted_planner_reads_in_the_episode(agent: Agent, rollouts: list[Rollout]) -> None:
    teacher = answer_teacher(agent.chat, agent.toolbox.tools, FITTED)
    planner = Planner(agent.chat, agent.toolbox.tools, weights=FITTED)
    said = []
    for one in rollouts:
        shares = teacher.shares(one)
        assert shares.sum() == pytest.approx(1)
        reading = planner.read(one.ids[: one.answer_at])
        assert np.log(shares) == pytest.approx(planner.label_logprobs(reading))
        assert set(one.plan) <= set(reading.known)
        said.append(tuple(shares.round(6)))
    assert len(set(said)) > 1, "plans differ, and so does what they tell"


def test_without_a_fit_or_in_another_chat_format_it_is_the_item_chosen(agent: Agent, rollouts: list[Rollout]) -> None:
    other: Any = object()
    chosen = Teacher(item_chosen, sees_target=True)
    assert not answer_teacher(agent.chat, agent.toolbox.tools, FITTED).sees_target
    assert answer_teacher(agent.chat, agent.toolbox.tools, UNFITTED) == chosen
    assert answer_teacher(other, agent.toolbox.tools, FITTED) == chosen
    one = rollouts[0]
    assert item_chosen(one).tolist() == [float(label == one.target) for label in range(len(one.scores))]


def test_divergence_is_of_the_answer_from_what_it_should_say(rollouts: list[Rollout]) -> None:
    one = rollouts[0]
    own = np.exp(one.scores) / np.exp(one.scores).sum()
    assert divergence(own, one) == pytest.approx(0, abs=1e-9)
    # Scores need not be normalised.
    assert divergence(own, replace(one, scores=tuple(score - 1 for score in one.scores))) == pytest.approx(0, abs=1e-9)
    assert divergence(item_chosen(one), one) == pytest.approx(-np.log(own[one.target]))
