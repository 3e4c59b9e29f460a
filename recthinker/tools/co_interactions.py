"""co_interactions(labels): how strongly the candidates go with the user's history."""

from typing import ClassVar

import numpy as np

from recthinker.settings import ToolSettings
from recthinker.tools.base import Scene, Takes, ToolCall, ToolResult, asked, by_strength, levels, segment_sums

HALF_LIFE = 10.0
"""History events, newest first, at which a history item's say in `next` has halved."""
SMOOTHING = 5.0
"""Events added to a history item's popularity, so that a rare item's few successors do not count for much."""


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
    items, history = scene.items, scene.request.history
    # Of an item that the history has more than once, its newest event counts.
    known, ages = np.unique(history, return_index=True)
    known, ages = known[known >= 0], ages[known >= 0]
    count = len(scene.order)
    if not len(known):
        return np.zeros(count), np.zeros(count)
    with items.marked(scene.candidates) as label_of:
        pairs, owners, labels = items.co_items.marked(known, label_of)
    # Numbers of 16 bits are sorted by counting.
    order = labels.astype(np.int16).argsort(kind="stable")
    pairs, labels = pairs[order], labels[order]
    say = 2.0 ** (-ages / HALF_LIFE) / (items.popularity[known] + SMOOTHING)
    follows = say[owners[order]] * items.co_next.values[pairs]
    first, second = segment_sums(labels, count, follows, items.co_cosine.values[pairs])
    return first, second
