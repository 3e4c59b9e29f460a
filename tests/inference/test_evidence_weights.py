"""Weights of the planner's reading: which ones count, and that they are kept."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recthinker.inference.evidence_weights import LEAST_GAIN, OTHER_PRIOR, PRIOR, UNFITTED, EvidenceWeights
from recthinker.tools import BUILT_IN

CO, SIMILAR, INFO, RELATIONS = "co_interactions", "similar_users", "item_info", "item_relations"
FITTED = EvidenceWeights(
    {
        frozenset(): {},
        frozenset({CO}): {CO: (0.4, 0.1)},
        frozenset({CO, SIMILAR}): {CO: (0.5, 0.2), SIMILAR: (-0.1,)},
        frozenset({INFO}): {INFO: (0.3, 0.0)},
        frozenset({CO, INFO}): {CO: (0.6, 0.1), INFO: (0.2, 0.0)},
        frozenset({RELATIONS}): {RELATIONS: (0.0,)},
    },
    {
        frozenset(): -3.0,
        frozenset({CO}): -1.5,
        frozenset({INFO}): -2.0,
        frozenset({CO, SIMILAR}): -1.5 + LEAST_GAIN / 2,
        frozenset({CO, INFO}): -1.5 + 2 * LEAST_GAIN,
        frozenset({RELATIONS}): -3.0 + LEAST_GAIN / 2,
    },
)


def built_in(*names: str) -> dict[str, Any]:
    return {name: BUILT_IN[name] for name in names}


def test_the_weights_are_those_of_the_tools_that_told_something() -> None:
    assert FITTED.of(built_in(CO)) == {CO: (0.4, 0.1)}
    assert FITTED.of(built_in(SIMILAR, CO)) == {CO: (0.5, 0.2), SIMILAR: (-0.1,)}
    # A profile gives no levels.
    assert FITTED.of(built_in(CO, "user_profile")) == {CO: (0.4, 0.1)}


def test_of_a_set_that_was_not_fitted_the_largest_one_s_count_then_the_prior() -> None:
    weights = FITTED.of(built_in(SIMILAR, RELATIONS))
    assert (weights[SIMILAR], weights[RELATIONS]) == ((-0.1,), PRIOR[RELATIONS])
    own: Any = SimpleNamespace(evidence=("one", "other"))
    assert UNFITTED.of(built_in(CO) | {"own": own}) == {CO: PRIOR[CO], "own": (OTHER_PRIOR, OTHER_PRIOR)}


def test_what_is_written_is_read_and_the_prior_where_nothing_is(tmp_path: Path) -> None:
    assert EvidenceWeights.read(tmp_path / "planner.json") == UNFITTED
    FITTED.write(tmp_path / "planner.json")
    assert EvidenceWeights.read(tmp_path / "planner.json") == FITTED


def test_a_file_of_before_tools_were_ranked_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "planner.json"
    assert not EvidenceWeights.is_whole(path)
    FITTED.write(path)
    assert EvidenceWeights.is_whole(path)
    path.write_text(json.dumps([{"told": [CO], "weights": {CO: [0.4, 0.1]}}]))
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
