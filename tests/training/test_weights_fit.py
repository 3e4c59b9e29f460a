"""The planner's weights, fitted on choices whose weights are known."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recthinker.inference.evidence_weights import LEAST_GAIN, OTHER_PRIOR, EvidenceWeights
from recthinker.tools import ToolCall, ToolResult
from recthinker.training.weights_fit import MOST_TOGETHER, fit_weights

ITEMS = 12
PRICE = 0.005


def fitted(
    truth: Mapping[str, tuple[float, ...]],
    requests: int,
    *,
    copies: int = 0,
    shown: int = ITEMS,
    times: int = 1,
    shape: Callable[[np.ndarray], np.ndarray] = np.asarray,
    price: float = PRICE,
) -> EvidenceWeights:
    """Those fitted on requests whose choices follow `truth`; every other request shows `shown` candidates.

    Args:
        copies: further tools that tell what the first one does.
        times: that each request is asked.
        shape: what a level counts in `truth`.
        price: of a call.
    """
    rng = np.random.default_rng(1)
    levels = {name: rng.integers(0, 10, (requests, ITEMS, len(weights))) for name, weights in truth.items()}
    first = next(iter(truth))
    names = [*truth, *(f"copy_{number}" for number in range(copies))]
    tools = {name: SimpleNamespace(name=name, evidence=truth.get(name, truth[first])) for name in names}
    rows, targets = [], {}
    for place in range(requests):
        count = shown if place % 2 else ITEMS
        logits = sum(shape(levels[name][place, :count]) @ np.array(weights) for name, weights in truth.items())
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
    return fit_weights(toolbox, asked, price)


def nats(of: EvidenceWeights) -> dict[frozenset[str], float]:
    return {told: fit.nats for told, fit in of.fits.items()}


def test_weights_are_found_also_below_zero_and_where_lists_differ_in_length() -> None:
    found = fitted({"a": (0.5, 0.1), "b": (-0.2,)}, 3000, shown=5).fits
    assert set(found) == {frozenset(), frozenset("a"), frozenset("b"), frozenset("ab")}
    both = found[frozenset("ab")].weights
    for told, slopes in (("a", (0.5, 0.1)), ("b", (-0.2,))):
        for curve, slope in zip(both[told], slopes, strict=True):
            assert curve[0] == 0
            assert np.diff(curve).mean() == pytest.approx(slope, abs=0.04)


def there_is_some_but_not_too_much(levels: np.ndarray) -> np.ndarray:
    return np.where(levels > 0, 1 - levels / 9, 0)


def there_is_very_much(levels: np.ndarray) -> np.ndarray:
    return (levels / 9) ** 2


@pytest.mark.parametrize(("shape", "most"), [(there_is_some_but_not_too_much, 3.0), (there_is_very_much, 8.0)])
def test_a_curve_bends_where_the_truth_does(shape: Callable[[np.ndarray], np.ndarray], most: float) -> None:
    found = fitted({"a": (most,)}, 3000, shape=shape).fits
    [curve] = found[frozenset("a")].weights["a"]
    # The prior draws what is told at all a little towards nothing. Without a bend the square would be missed by 0.8.
    assert np.array(curve) == pytest.approx(most * shape(np.arange(10)), abs=0.5)


def test_what_is_enough_is_fitted_along_the_plan() -> None:
    cheap, dear = (fitted({"a": (0.5, 0.1), "b": (-0.2,)}, 3000, shown=5, price=price).fits for price in (0, 0.05))
    assert 0 < dear[frozenset("a")].enough < cheap[frozenset("a")].enough - 0.2 < 10
    assert {cheap[frozenset(told)].enough for told in ("", "b", "ab")} == {math.inf}


def test_what_two_tools_tell_alike_counts_once() -> None:
    found = fitted({"a": (0.5,)}, 2000, copies=1).fits
    [alone] = found[frozenset({"a"})].weights["a"]
    [one], [other] = found[frozenset({"a", "copy_0"})].weights.values()
    assert one == pytest.approx(other, abs=1e-2)
    assert np.add(one, other) == pytest.approx(alone, abs=0.1)


def test_a_few_choices_are_hardly_believed() -> None:
    found = fitted({"a": (2.0,)}, 2)
    [curve] = found.fits[frozenset({"a"})].weights["a"]
    assert abs(curve[-1] / 9 - OTHER_PRIOR) < 1
    assert found == fitted({"a": (2.0,)}, 2)


def test_of_many_tools_small_sets_and_all_are_fitted() -> None:
    sizes = Counter(map(len, fitted({"a": (0.5,)}, 20, copies=4).fits))
    assert sizes == {0: 1, 1: 5, 2: 10, 3: 10, MOST_TOGETHER: 5, 5: 1}


def test_how_likely_the_choices_are_tells_which_tools_add_something() -> None:
    one, both = frozenset("a"), frozenset("ab")
    found = nats(fitted({"a": (0.5, 0.1), "b": (-0.2,)}, 3000))
    # b adds, and a copy of a does not.
    assert found[frozenset()] == pytest.approx(-np.log(ITEMS))
    assert found[frozenset()] < found[frozenset("b")] < found[one] < found[both] < -1
    copied = nats(fitted({"a": (0.5,)}, 2000, copies=1))
    assert copied[frozenset({"a", "copy_0"})] - copied[frozenset({"a"})] < LEAST_GAIN / 4


@pytest.mark.parametrize("times", [1, 8])
def test_what_tells_nothing_does_not_seem_to_where_choices_are_few(times: int) -> None:
    # In sample, 15 weights of noise make 300 choices more likely by some 7.5 nats in all.
    found = nats(fitted({"a": (0.0,) * 5}, 300, shown=4, times=times))
    assert found[frozenset()] == pytest.approx(-(np.log(ITEMS) + np.log(4)) / 2)
    assert found[frozenset("a")] - found[frozenset()] < LEAST_GAIN
