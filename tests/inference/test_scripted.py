"""The scripted planner's decisions."""

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recthinker.agent import Agent
from recthinker.inference.evidence_weights import PRIOR, UNFITTED, EvidenceWeights, Fit, line
from recthinker.inference.scripted import CLEAR_MARGIN, Planner, Reading
from recthinker.lookup import Snapshot
from recthinker.tools import Label, Level, Scene, Segment, ToolCall, ToolResult

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
        (("co_interactions", "item_relations", "similar_users"), NOTHING, ToolCall("item_info")),
        (("co_interactions", "similar_users"), (CLEAR_MARGIN / 2, *NOTHING[1:]), None),
        (("co_interactions",), (CLEAR_MARGIN, *NOTHING[1:]), None),
    ],
)
def test_it_asks_about_all_where_nothing_is_told_and_about_the_closest_where_they_are_close(
    agent: Agent, known: tuple[str, ...], scores: tuple[float, ...], call: ToolCall | None
) -> None:
    planner = Planner(agent.chat, agent.toolbox.tools)
    assert planner.decide(Reading(known, scores), random.Random(1)) == call


def test_a_tool_of_one_s_own_is_asked_before_a_fit_too(agent: Agent) -> None:
    own: Any = SimpleNamespace(name="own", takes="labels", evidence=("is near",))
    planner = Planner(agent.chat, {**agent.toolbox.tools, "own": own})
    assert planner.decide(Reading(("co_interactions", "similar_users"), CLOSE), random.Random(1)) == ToolCall("own")


def test_fitted_it_asks_what_adds_most_as_long_as_the_best_are_close(agent: Agent) -> None:
    order = ("item_info", "co_interactions", "similar_users")
    weights = EvidenceWeights({frozenset(order[:place]): Fit({}, place - 3.0, 2.0 * place) for place in range(4)})
    planner = Planner(agent.chat, agent.toolbox.tools, weights=weights)
    for place, name in enumerate(order):
        assert planner.decide(Reading(order[:place], CLOSE), random.Random(1)) == ToolCall(name)
    assert planner.decide(Reading(order, CLOSE), random.Random(1)) is None
    # What is enough after one call is not after two.
    for lead, place, name in ((2.0, 1, None), (1.9, 1, order[1]), (3.9, 2, order[2]), (4.0, 2, None)):
        call = planner.decide(Reading(order[:place], (lead, *NOTHING[1:])), random.Random(1))
        assert call == (ToolCall(name) if name else None)
    # Before a call nothing is clear, not even where there is one candidate only.
    assert planner.decide(Reading((), (0.0,)), random.Random(1)) == ToolCall(order[0])


def test_where_no_tool_is_known_to_add_anything_it_asks_as_before_a_fit(agent: Agent) -> None:
    weights = EvidenceWeights({frozenset(told): Fit({}, -3.0, 0.0) for told in ((), ("co_interactions",))})
    planner = Planner(agent.chat, agent.toolbox.tools, weights=weights)
    assert planner.decide(Reading((), NOTHING), random.Random(1)) == ToolCall("co_interactions")
    assert planner.decide(Reading(("co_interactions",), NOTHING), random.Random(1)) == ToolCall("item_relations")


def test_a_hasty_one_answers_after_any_number_of_calls(agent: Agent) -> None:
    planner = Planner(agent.chat, agent.toolbox.tools, hasty_share=1.0)
    plan = ("co_interactions", "item_relations", "similar_users", "item_info")

    def calls(seed: int) -> int:
        return next(
            place for place in range(9) if not planner.decide(Reading(plan[:place], NOTHING), random.Random(seed))
        )

    # It never answers before the first, and to ask them all is not hasty.
    assert {calls(seed) for seed in range(50)} == {1, 2, 3}


def scores(
    agent: Agent, snapshot: Snapshot, *told: tuple[ToolCall, dict[int, tuple[int, ...]]], weights: EvidenceWeights
) -> tuple[float, ...]:
    """Of ann's four candidates, when calls have told these levels by label."""
    request = snapshot.request("ann")
    ids = agent.chat.user(Scene(snapshot.items, request, np.arange(4)), agent.toolbox.settings.max_title_words)
    for call, levels in told:
        segments: list[Segment] = [part for label, of in levels.items() for part in (Label(label), *map(Level, of))]
        ids = [*ids, *agent.chat.turn([], call), *agent.chat.result(ToolResult(tuple(segments), len(levels)))]
    return Planner(agent.chat, agent.toolbox.tools, weights=weights).read(ids).scores


def test_levels_count_from_the_mean_of_those_asked_about(agent: Agent, snapshot: Snapshot) -> None:
    co = ToolCall("co_interactions"), {2: (9, 4), 0: (3, 0)}
    [first, _] = PRIOR["co_interactions"]
    assert scores(agent, snapshot, co, weights=UNFITTED) == pytest.approx(
        (first * (3 - 3), -first * 3, first * (9 - 3), -first * 3)
    )
    few = ToolCall("item_relations", labels=(0, 2)), {0: (9,), 2: (1,)}
    told = scores(agent, snapshot, few, weights=UNFITTED)
    assert told == pytest.approx((4 * PRIOR["item_relations"][0], 0, -4 * PRIOR["item_relations"][0], 0))


def test_weights_are_those_of_the_tools_called_and_may_be_below_zero(agent: Agent, snapshot: Snapshot) -> None:
    names = ("co_interactions", "similar_users")
    weights = EvidenceWeights(
        {
            frozenset(names[:1]): Fit({names[0]: (line(1.0), line(0.0))}),
            frozenset(names): Fit({names[0]: (line(0.0), line(1.0)), names[1]: (line(-1.0),)}),
        }
    )
    co = ToolCall("co_interactions"), {1: (4, 8)}
    similar = ToolCall("similar_users", limit=2), {0: (4,)}
    assert scores(agent, snapshot, co, weights=weights) == pytest.approx((-1, 3, -1, -1))
    assert scores(agent, snapshot, co, similar, weights=weights) == pytest.approx((-2 - 3, 6 + 1, -2 + 1, -2 + 1))


def test_a_level_adds_what_its_curve_says(agent: Agent, snapshot: Snapshot) -> None:
    curve = tuple(float(level == 4) for level in range(10))
    weights = EvidenceWeights({frozenset({"similar_users"}): Fit({"similar_users": (curve,)})})
    similar = ToolCall("similar_users"), {0: (4,), 1: (9,)}
    assert scores(agent, snapshot, similar, weights=weights) == pytest.approx((0.75, -0.25, -0.25, -0.25))


def test_what_calls_tell_is_added_in_their_order(agent: Agent, snapshot: Snapshot) -> None:
    # Where the sum depends on the order, any other one, as that of a set, shows.
    weights = EvidenceWeights(
        {
            frozenset(("co_interactions", "similar_users", "item_relations")): Fit(
                {
                    "co_interactions": (line(1e16), line(0.0)),
                    "similar_users": (line(1.0),),
                    "item_relations": (line(-1e16),),
                }
            )
        }
    )
    co = ToolCall("co_interactions"), {0: (4, 0)}
    similar, relations = ((ToolCall(name), {0: (4,)}) for name in ("similar_users", "item_relations"))
    assert scores(agent, snapshot, co, similar, relations, weights=weights)[0] == (3e16 + 3) - 3e16
    assert scores(agent, snapshot, co, relations, similar, weights=weights)[0] == 3


def test_of_two_calls_of_a_tool_the_one_about_more_counts(agent: Agent, snapshot: Snapshot) -> None:
    whole, part = (ToolCall("co_interactions", labels) for labels in ((), (0, 1)))
    told = [(whole, {1: (8, 0)}), (part, {0: (9, 0), 1: (9, 0)})]
    alone = scores(agent, snapshot, told[0], weights=UNFITTED)
    assert (
        scores(agent, snapshot, *told, weights=UNFITTED)
        == scores(agent, snapshot, *told[::-1], weights=UNFITTED)
        == alone
    )


def test_a_call_that_told_nothing_takes_nothing_away(agent: Agent, snapshot: Snapshot) -> None:
    """As a broken one, or one that is cut off."""
    told = ToolCall("co_interactions"), {1: (8, 0)}
    alone = scores(agent, snapshot, told, weights=UNFITTED)
    assert any(alone)
    assert scores(agent, snapshot, told, (ToolCall("co_interactions"), {}), weights=UNFITTED) == alone


def test_a_label_that_stands_for_no_candidate_says_nothing(agent: Agent, snapshot: Snapshot) -> None:
    """A model may ask about one, and write a result of its own."""
    asked = ToolCall("item_relations", labels=(0, 2, 9)), {0: (9,), 2: (1,), 9: (7,)}
    known = ToolCall("item_relations", labels=(0, 2)), {0: (9,), 2: (1,)}
    assert scores(agent, snapshot, asked, weights=UNFITTED) == scores(agent, snapshot, known, weights=UNFITTED)
    lost = ToolCall("item_relations", labels=(9,)), {9: (7,)}
    assert not any(scores(agent, snapshot, lost, weights=UNFITTED))
