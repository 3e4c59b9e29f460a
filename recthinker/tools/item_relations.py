"""item_relations(labels): what the candidates share with the user's history in the knowledge graph."""

from typing import ClassVar

import numpy as np

from recthinker.settings import ToolSettings
from recthinker.tools.base import (
    Label,
    Level,
    Scene,
    Segment,
    Takes,
    ToolCall,
    ToolResult,
    Words,
    asked,
    by_strength,
    levels,
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
        result = by_strength(asked(call, scene), (levels(scores),), scores, settings)
        segments: list[Segment] = []
        for label, (level,) in result.evidence.items():
            segments += [Label(label), Level(level), Words(relations[label])]
        return ToolResult(tuple(segments) or result.segments, result.rows, result.evidence)


def relation_scores(scene: Scene) -> tuple[np.ndarray, list[str]]:
    """By label: sum over edges shared with the history of weight * min(history items with it, 3), (N,); and the name
    of the relation of the heaviest of those edges.
    """
    items = scene.items
    known = scene.request.history[scene.request.history >= 0]
    edges = np.concatenate([items.links[code] for code in known] or [np.empty(0, np.int32)])
    codes, counts = np.unique(edges, return_counts=True)
    say = items.link_weight[codes] * np.minimum(counts, MOST_PER_EDGE)
    scores, relations = np.zeros(len(scene.order)), [""] * len(scene.order)
    for label, code in enumerate(scene.candidates):
        shared = np.isin(codes, items.links[code], assume_unique=True)
        if shared.any():
            scores[label] = say[shared].sum()
            relations[label] = items.link(int(codes[shared][say[shared].argmax()]))[0].replace("_", " ")
    return scores, relations
