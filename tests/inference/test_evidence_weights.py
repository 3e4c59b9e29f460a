"""Weights of the planner's reading: which ones count, and that they are kept."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recthinker.inference.evidence_weights import LEAST_GAIN, OTHER_PRIOR, PRIOR, UNFITTED, EvidenceWeights, Fit, line
from recthinker.tools import BUILT_IN

CO, SIMILAR, INFO, RELATIONS = "co_interactions", "similar_users", "item_info", "item_relations"
ALONE = {CO: (line(0.4), line(0.1))}
WITH_SIMILAR = {CO: (line(0.5), line(0.2)), SIMILAR: (line(-0.1),)}
FITTED = EvidenceWeights(
    {
        frozenset(): Fit({}, -3.0),
        frozenset({CO}): Fit(ALONE, -1.5, 0.75),
        frozenset({CO, SIMILAR}): Fit(WITH_SIMILAR, -1.5 + LEAST_GAIN / 2),
        frozenset({INFO}): Fit({INFO: (line(0.3), line(0.0))}, -2.0),
        frozenset({CO, INFO}): Fit({CO: (line(0.6), line(0.1)), INFO: (line(0.2), line(0.0))}, -1.5 + 2 * LEAST_GAIN),
        frozenset({RELATIONS}): Fit({RELATIONS: (line(0.0),)}, -3.0 + LEAST_GAIN / 2),
    }
)


def built_in(*names: str) -> dict[str, Any]:
    return {name: BUILT_IN[name] for name in names}


def test_the_weights_are_those_of_the_tools_that_told_something() -> None:
    assert FITTED.of(built_in(CO)) == ALONE
    assert FITTED.of(built_in(SIMILAR, CO)) == WITH_SIMILAR
    # A profile gives no levels.
    assert FITTED.of(built_in(CO, "user_profile")) == ALONE


def test_of_a_set_that_was_not_fitted_the_largest_one_s_count_then_the_prior() -> None:
    weights = FITTED.of(built_in(SIMILAR, RELATIONS))
    assert (weights[SIMILAR], weights[RELATIONS]) == (WITH_SIMILAR[SIMILAR], (line(PRIOR[RELATIONS][0]),))
    own: Any = SimpleNamespace(evidence=("one", "other"))
    assert UNFITTED.of(built_in(CO) | {"own": own}) == {
        CO: tuple(line(slope) for slope in PRIOR[CO]),
        "own": (line(OTHER_PRIOR), line(OTHER_PRIOR)),
    }


def test_what_is_written_is_read_and_the_prior_where_nothing_is(tmp_path: Path) -> None:
    assert EvidenceWeights.read(tmp_path / "planner.json") == UNFITTED
    FITTED.write(tmp_path / "planner.json")
    assert EvidenceWeights.read(tmp_path / "planner.json") == FITTED


def test_a_file_of_before_it_was_known_what_is_enough_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "planner.json"
    assert not EvidenceWeights.is_whole(path)
    FITTED.write(path)
    assert EvidenceWeights.is_whole(path)
    path.write_text(json.dumps([{"told": [CO], "nats": -1.5, "weights": {CO: [0.4, 0.1]}}]))
    assert not EvidenceWeights.is_whole(path)
    assert EvidenceWeights.read(path) == UNFITTED


@pytest.mark.parametrize(
    ("known", "tools", "following"),
    [
        ((), (CO, SIMILAR, INFO), CO),
        ((), (SIMILAR, INFO), INFO),
        ((CO,), (CO, SIMILAR, INFO), INFO),
        (("user_profile", CO), ("user_profile", CO, INFO), INFO),
        # What similar users add could be chance; of all three nothing is known.
        ((CO,), (CO, SIMILAR), None),
        ((CO, INFO), (CO, SIMILAR, INFO), None),
        # No more than a guess.
        ((), (RELATIONS,), None),
        # What is known was not fitted, so that nobody can tell what more would add.
        ((SIMILAR,), (SIMILAR, CO), None),
    ],
)
def test_the_next_tool_is_the_one_that_adds_most(
    known: tuple[str, ...], tools: tuple[str, ...], following: str | None
) -> None:
    assert FITTED.next_tool(known, built_in(*tools)) == following
    assert UNFITTED.next_tool(known, built_in(*tools)) is None


def test_the_plan_is_what_is_asked_where_nothing_is_enough() -> None:
    assert FITTED.plan(built_in(SIMILAR, CO, INFO)) == [CO, INFO]
    assert UNFITTED.plan(built_in(CO)) == []


@pytest.mark.parametrize(
    ("known", "lead", "enough"),
    [
        ((CO,), 0.75, True),
        ((CO,), 0.74, False),
        # What gives no evidence does not count.
        ((CO, "user_profile"), 0.75, True),
        # Nothing is known to be enough, and of a set that was not fitted nobody knows.
        ((CO, INFO), 1e9, False),
        ((CO, INFO, SIMILAR), 1e9, False),
    ],
)
def test_what_lead_is_enough_depends_on_the_tools_that_told(known: tuple[str, ...], lead: float, enough: bool) -> None:
    assert FITTED.is_enough(known, lead) == enough
    assert not UNFITTED.is_enough(known, lead)
