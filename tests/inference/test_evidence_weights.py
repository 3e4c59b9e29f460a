"""Weights of the planner's reading: which ones count, and that they are kept."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from recthinker.inference.evidence_weights import OTHER_PRIOR, PRIOR, UNFITTED, EvidenceWeights
from recthinker.tools import BUILT_IN

CO, SIMILAR, INFO = "co_interactions", "similar_users", "item_info"
FITTED = EvidenceWeights(
    {
        frozenset({CO}): {CO: (0.4, 0.1)},
        frozenset({CO, SIMILAR}): {CO: (0.5, 0.2), SIMILAR: (-0.1,)},
    }
)


def built_in(*names: str) -> dict[str, Any]:
    return {name: BUILT_IN[name] for name in names}


def test_the_weights_are_those_of_the_tools_that_told_something() -> None:
    assert FITTED.of(built_in(CO)) == {CO: (0.4, 0.1)}
    assert FITTED.of(built_in(SIMILAR, CO)) == {CO: (0.5, 0.2), SIMILAR: (-0.1,)}
    # A profile gives no levels.
    assert FITTED.of(built_in(CO, "user_profile")) == {CO: (0.4, 0.1)}


def test_of_a_set_that_was_not_fitted_the_largest_one_s_count_then_the_prior() -> None:
    weights = FITTED.of(built_in(CO, INFO))
    assert (weights[CO], weights[INFO]) == ((0.5, 0.2), PRIOR[INFO])
    own: Any = SimpleNamespace(evidence=("one", "other"))
    assert UNFITTED.of(built_in(CO) | {"own": own}) == {CO: PRIOR[CO], "own": (OTHER_PRIOR, OTHER_PRIOR)}


def test_what_is_written_is_read_and_the_prior_where_nothing_is(tmp_path: Path) -> None:
    assert EvidenceWeights.read(tmp_path / "planner.json") == UNFITTED
    FITTED.write(tmp_path / "planner.json")
    assert EvidenceWeights.read(tmp_path / "planner.json") == FITTED
