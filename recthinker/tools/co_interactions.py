"""co_interactions(labels): how strongly the candidates go with the user's history."""

from typing import ClassVar

import numpy as np

from recthinker.settings import ToolSettings
from recthinker.tools.base import Scene, Takes, ToolCall, ToolResult, asked, by_strength, levels
from recthinker.tools.compiled import compiled

HALF_LIFE = 10.0
"""History events, newest first, at which a history item's say in `next` has halved."""
SMOOTHING = 5.0
"""Events added to a history item's popularity, so that a rare item's few successors do not count for much."""
CACHE_LINE = 64
"""Bytes that are read from memory at once."""


class CoInteractions:
    """Two levels a candidate: `next`, follows the user's newest items; `together`, goes with the whole history."""

    name: ClassVar[str] = "co_interactions"
    description: ClassVar[str] = "How strongly the candidates go with what the user took up before."
    takes: ClassVar[Takes] = "labels"
    evidence: ClassVar[tuple[str, ...]] = ("follows recent items", "goes with the history")
    reads: ClassVar[tuple[str, ...]] = ("user_history", "co_interaction", "item_metadata")

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        """Labels with both levels, by `next`, then `together`."""
        follows, together = co_scores(scene)
        first, second = levels(follows), levels(together)
        return by_strength(asked(call, scene), (first, second), follows + 1e-9 * together, settings.max_results)


def co_scores(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Scores by label: sum over history items h, age p, of 2^-(p/10) * next_weight(h to c) / (events(h) + 5), and of
    cosine(h, c); both (N,).
    """
    items, pairs, weights = scene.items, scene.items.co_items, scene.items.co_weights.values
    line, history = CACHE_LINE // pairs.values.itemsize, scene.request.history
    follows, together, _ = _sums(
        scene.candidates, history, items.marks, items.popularity, pairs.offsets, pairs.values, weights, line
    )
    return follows, together


@compiled
def _sums(
    candidates: np.ndarray,
    history: np.ndarray,
    marks: np.ndarray,
    popularity: np.ndarray,
    offsets: np.ndarray,
    neighbours: np.ndarray,
    weights: np.ndarray,
    line: int,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Both scores; the number is of no use but to have had it read.

    Lists of a large catalogue lie anywhere in memory, and waiting for one after the other is most of the time. So first
    every cache line of them, `line` neighbours each, is asked for, which waits for all side by side.
    """
    read, weight = 0, np.full(len(history), -1.0)
    for age, known in enumerate(history):
        # Of an item that the history has more than once, its newest event counts.
        if known >= 0 and marks[known] < 0:
            marks[known] = age
            weight[age] = 2.0 ** (-age / HALF_LIFE) / (popularity[known] + SMOOTHING)
            for pair in range(np.uint32(offsets[known]), np.uint32(offsets[known + 1]), line):
                read += neighbours[pair]
    for known in history:
        if known >= 0:
            marks[known] = -1
    for label, item in enumerate(candidates):
        marks[item] = label
    follows, together = np.zeros(len(candidates)), np.zeros(len(candidates))
    for age, known in enumerate(history):
        say = weight[age]
        if say < 0:
            continue
        for pair in range(np.uint32(offsets[known]), np.uint32(offsets[known + 1])):
            label = marks[np.uint32(neighbours[pair])]  # unsigned, as no index below 0 has to be looked for
            if label >= 0:
                follows[label] += say * weights[pair, 0]
                together[label] += weights[pair, 1]
    marks[candidates] = -1
    return follows, together, read
