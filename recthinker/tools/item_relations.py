"""item_relations(labels): what the candidates share with the user's history in the knowledge graph."""

from typing import ClassVar

import numpy as np

from recthinker.lookup import ItemRows
from recthinker.settings import ToolSettings
from recthinker.tools.base import (
    LEVELS,
    Scene,
    Segment,
    Takes,
    ToolCall,
    ToolResult,
    Words,
    asked,
    by_strength,
    label_at,
    levels,
    segment_sums,
)

MOST_PER_EDGE = 3
"""History items that one shared edge counts at most, so that a frequent actor does not drown the rest."""


class ItemRelations:
    """One level a candidate, and the relation that says most."""

    name: ClassVar[str] = "item_relations"
    description: ClassVar[str] = "What the candidates share with the user's history in the knowledge graph."
    takes: ClassVar[Takes] = "labels"
    evidence: ClassVar[tuple[str, ...]] = ("shares people or themes with the history",)
    reads: ClassVar[tuple[str, ...]] = ("user_history", "item_relation")

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        """Labels with level and strongest relation, most shared first."""
        scores, relations = relation_scores(scene)
        result = by_strength(asked(call, scene), (levels(scores),), scores, settings.max_results)
        segments: list[Segment] = []
        for label, (level,) in result.evidence.items():
            segments += [label_at(label), LEVELS[level], Words(relations[label])]
        return ToolResult(tuple(segments) or result.segments, result.rows, result.evidence)


def relation_scores(scene: Scene) -> tuple[np.ndarray, list[str]]:
    """By label: sum over edges shared with the history of weight * min(history items with it, 3), (N,); and the name
    of the relation of the heaviest of those edges.
    """
    items, history, count = scene.items, scene.request.history, len(scene.order)
    edges, owners = items.links.joined(scene.candidates)
    if not len(edges):
        return np.zeros(count), [""] * count
    # An item's edges are in order, so that one that it has twice stands beside itself.
    is_new = np.ones(len(edges), bool)
    is_new[1:] = (edges[1:] != edges[:-1]) | (owners[1:] != owners[:-1])
    edges, owners = edges[is_new], owners[is_new]
    counts = _times(items, edges, items.links.joined(history[history >= 0])[0])
    shared = counts.nonzero()[0]
    edges, owners = edges[shared], owners[shared]
    say = items.link_weight[edges] * np.minimum(counts[shared], MOST_PER_EDGE)
    heaviest = [(0.0, -1)] * count
    for owner, weight, edge in zip(owners.tolist(), say.tolist(), edges.tolist(), strict=True):
        if weight > heaviest[owner][0]:
            heaviest[owner] = weight, edge
    relations = ["" if edge < 0 else items.relation(edge).replace("_", " ") for _, edge in heaviest]
    return segment_sums(owners, count, say)[0], relations


def _times(items: ItemRows, edges: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How often each of `edges` occurs in `known`."""
    with items.marked_links(edges) as place_of:
        # All equal edges are marked with the place of the first one.
        found = place_of.take(known)
        times: np.ndarray = np.bincount(found[found >= 0], minlength=len(edges))[place_of[edges]]
        return times
