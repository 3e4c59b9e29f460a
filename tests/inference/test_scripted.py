"""The scripted planner's decisions."""

import random

import pytest

from recthinker.agent import Agent
from recthinker.inference.scripted import CLEAR_MARGIN, Planner, Reading
from recthinker.tools import ToolCall

NOTHING = (0.0,) * 6
CLOSE = (3.0, 3.0, 2.0, 1.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("known", "scores", "call"),
    [
        ((), NOTHING, ToolCall("co_interactions")),
        (("co_interactions",), NOTHING, ToolCall("item_relations")),
        (("co_interactions", "item_relations"), NOTHING, ToolCall("similar_users")),
        (("co_interactions",), CLOSE, ToolCall("similar_users")),
        (("co_interactions", "similar_users"), CLOSE, ToolCall("item_relations", labels=(0, 1, 2, 3))),
        (("co_interactions",), (CLEAR_MARGIN, *NOTHING[1:]), None),
    ],
)
def test_it_asks_about_all_where_nothing_is_told_and_about_the_closest_where_they_are_close(
    agent: Agent, known: tuple[str, ...], scores: tuple[float, ...], call: ToolCall | None
) -> None:
    planner = Planner(agent.chat, agent.toolbox.tools)
    assert planner.decide(Reading(known, scores), random.Random(1)) == call
