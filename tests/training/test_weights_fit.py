"""The planner's weights, fitted on choices whose weights are known."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recthinker.inference.evidence_weights import LEAST_GAIN, OTHER_PRIOR, EvidenceWeights, Weights
from recthinker.tools import ToolCall, ToolResult
from recthinker.training.weights_fit import MOST_TOGETHER, fit_weights

ITEMS = 12


def fitted(truth: Weights, requests: int, *, copies: int = 0, shown: int = ITEMS, times: int = 1) -> EvidenceWeights:
    """Those fitted on requests whose choices follow `truth`; every other request shows `shown` candidates.

    Args:
        copies: further tools that tell what the first one does.
        times: that each request is asked.
    """
    rng = np.random.default_rng(1)
    levels = {name: rng.integers(0, 10, (requests, ITEMS, len(weights))) for name, weights in truth.items()}
    first = next(iter(truth))
    names = [*truth, *(f"copy_{number}" for number in range(copies))]
    tools = {name: SimpleNamespace(name=name, evidence=truth.get(name, truth[first])) for name in names}
    rows, targets = [], {}
    for place in range(requests):
        count = shown if place % 2 else ITEMS
        logits = sum(levels[name][place, :count] @ np.array(weights) for name, weights in truth.items())
        chosen = int(np.argmax(logits + rng.gumbel(size=count)))
        rows.append(SimpleNamespace(key=str(place), user_id=f"u{place}", candidates=np.arange(count)))
        targets[str(place)] = chosen

    def call(scene: Any, asked: ToolCall) -> ToolResult:
        told = levels[asked.name if asked.name in levels else first][int(scene.request.key)]
        # A candidate of which a tool has no row has level 0.
        return ToolResult(
            (), 0, {label: tuple(told[label]) for label in range(len(scene.candidates)) if told[label].any()}
        )

    toolbox: Any = SimpleNamespace(tools={**tools, "profile": SimpleNamespace(name="profile", evidence=())}, call=call)
    asked: Any = SimpleNamespace(rows=rows * times, targets=targets, snapshot=SimpleNamespace(items=None))
    return fit_weights(toolbox, asked)


def test_weights_are_found_also_below_zero_and_where_lists_differ_in_length() -> None:
    found = fitted({"a": (0.5, 0.1), "b": (-0.2,)}, 3000, shown=5).fitted
    assert set(found) == {frozenset(), frozenset("a"), frozenset("b"), frozenset("ab")}
    both = found[frozenset("ab")]
    assert both["a"] == pytest.approx((0.5, 0.1), abs=0.04)
    assert both["b"] == pytest.approx((-0.2,), abs=0.04)


def test_what_two_tools_tell_alike_counts_once() -> None:
    found = fitted({"a": (0.5,)}, 2000, copies=1).fitted
    alone, [one, other] = found[frozenset({"a"})]["a"][0], found[frozenset({"a", "copy_0"})].values()
    assert one[0] == pytest.approx(other[0], abs=1e-3)
    assert one[0] + other[0] == pytest.approx(alone, abs=0.01)


def test_a_few_choices_are_hardly_believed() -> None:
    found = fitted({"a": (2.0,)}, 2).fitted
    assert abs(found[frozenset({"a"})]["a"][0] - OTHER_PRIOR) < 1
    assert found == fitted({"a": (2.0,)}, 2).fitted


def test_of_many_tools_small_sets_and_all_are_fitted() -> None:
    sizes = Counter(map(len, fitted({"a": (0.5,)}, 20, copies=5).fitted))
    assert sizes == {0: 1, 1: 6, 2: 15, 3: 20, MOST_TOGETHER: 15, 6: 1}


def test_how_likely_the_choices_are_tells_which_tools_add_something() -> None:
    one, both = frozenset("a"), frozenset("ab")
    found = fitted({"a": (0.5, 0.1), "b": (-0.2,)}, 3000).nats
    # b adds, and a copy of a does not.
    assert found[frozenset()] == pytest.approx(-np.log(ITEMS))
    assert found[frozenset()] < found[frozenset("b")] < found[one] < found[both] < -1
    copied = fitted({"a": (0.5,)}, 2000, copies=1).nats
    assert copied[frozenset({"a", "copy_0"})] - copied[frozenset({"a"})] < LEAST_GAIN / 4


@pytest.mark.parametrize("times", [1, 8])
def test_what_tells_nothing_does_not_seem_to_where_choices_are_few(times: int) -> None:
    # In sample, five weights of noise make 300 choices more likely by some 2.5 nats in all.
    found = fitted({"a": (0.0,) * 5}, 300, shown=4, times=times).nats
    assert found[frozenset()] == pytest.approx(-(np.log(ITEMS) + np.log(4)) / 2)
    assert found[frozenset("a")] - found[frozenset()] < LEAST_GAIN
