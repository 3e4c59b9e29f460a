"""co_interactions(labels): how strongly the candidates go with the user's history."""

from typing import ClassVar

import numpy as np

from recthinker.settings import ToolSettings
from recthinker.tools.base import Scene, Takes, ToolCall, ToolResult, asked, by_strength, levels

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
        return by_strength(asked(call, scene), (first, second), follows + 1e-9 * together, settings)


def co_scores(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Scores by label: sum over history items h, age p, of 2^-(p/10) * next_weight(h to c) / (events(h) + 5), and of
    cosine(h, c); both (N,).
    """
    items = scene.items
    history = scene.request.history
    ages = np.arange(len(history))[history >= 0]
    history = history[history >= 0]
    order = np.argsort(history, kind="stable")
    ordered = history[order]
    say = (2.0 ** (-ages / HALF_LIFE) / (items.popularity[history] + SMOOTHING))[order]
    follows, together = np.zeros(len(scene.order)), np.zeros(len(scene.order))
    if len(history):
        for label, code in enumerate(scene.candidates):
            others = items.co_items[code]
            place = np.minimum(np.searchsorted(ordered, others), len(ordered) - 1)
            hit = ordered[place] == others
            follows[label] = say[place[hit]] @ items.co_next[code][hit]
            together[label] = items.co_cosine[code][hit].sum()
    return follows, together
