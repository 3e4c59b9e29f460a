"""item_relations(labels): what the candidates share with the user's history in the knowledge graph."""

from typing import ClassVar

import numpy as np

from recthinker.lookup import ItemRows
from recthinker.settings import ToolSettings
from recthinker.tools.base import (
    LEVELS,
    Label,
    Scene,
    Segment,
    Takes,
    ToolCall,
    ToolResult,
    Words,
    asked,
    by_strength,
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
            segments += [Label(label), LEVELS[level], Words(relations[label])]
        return ToolResult(tuple(segments) or result.segments, result.rows, result.evidence)


def relation_scores(scene: Scene) -> tuple[np.ndarray, list[str]]:
    """By label: sum over edges shared with the history of weight * min(history items with it, 3), (N,); and the name
    of the relation of the heaviest of those edges.
    """
    items, history = scene.items, scene.request.history
    count = len(scene.order)
    places, sizes = items.links.rows_of(scene.candidates)
    known = items.links.values[items.links.rows_of(history[history >= 0])[0]]
    edges, owner = items.links.values[places], np.repeat(np.arange(count), sizes)
    if not len(edges):
        return np.zeros(count), [""] * count
    # An item's edges are in order, so that one that it has twice stands beside itself.
    is_new = np.concatenate([[True], (edges[1:] != edges[:-1]) | (owner[1:] != owner[:-1])])
    edges, owner = edges[is_new], owner[is_new]
    counts = _times(items, edges, known)
    shared = np.flatnonzero(counts)
    say = items.link_weight[edges[shared]] * np.minimum(counts[shared], MOST_PER_EDGE)
    sizes = np.bincount(owner[shared], minlength=count)
    relations, start = [], 0
    for end in np.cumsum(sizes).tolist():
        heaviest = shared[start + say[start:end].argmax()] if end > start else None
        relations.append("" if heaviest is None else items.relation(int(edges[heaviest])).replace("_", " "))
        start = end
    return segment_sums(say, sizes), relations


def _times(items: ItemRows, edges: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How often each of `edges` occurs in `known`."""
    with items.marked_links(edges) as place_of:
        # All equal edges are marked with the place of the first one.
        found = place_of[known]
        times: np.ndarray = np.bincount(found[found >= 0], minlength=len(edges))[place_of[edges]]
        return times
