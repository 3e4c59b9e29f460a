"""item_relations(labels): what the candidates share with the user's history in the knowledge graph."""

from typing import ClassVar

import numpy as np

from recthinker.settings import ToolSettings
from recthinker.tools.base import Scene, Takes, ToolCall, ToolResult, asked, by_strength, levels
from recthinker.tools.compiled import compiled

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
        return by_strength(asked(call, scene), (levels(scores),), scores, settings.max_results, relations)


def relation_scores(scene: Scene) -> tuple[np.ndarray, list[str]]:
    """By label: sum over edges shared with the history of weight * min(history items with it, 3), (N,); and the name
    of the relation of the heaviest of those edges.
    """
    items, links = scene.items, scene.items.links
    scores, heaviest = _sums(
        scene.candidates, scene.request.history, items.link_marks, items.link_weight, links.offsets, links.values
    )
    return scores, ["" if edge < 0 else items.relation(edge).replace("_", " ") for edge in heaviest.tolist()]


@compiled
def _sums(
    candidates: np.ndarray,
    history: np.ndarray,
    marks: np.ndarray,
    weights: np.ndarray,
    offsets: np.ndarray,
    edges: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    for item in candidates:
        for edge in edges[offsets[item] : offsets[item + 1]]:
            marks[edge] = 0
    for known in history:
        if known >= 0:
            for place in range(np.uint32(offsets[known]), np.uint32(offsets[known + 1])):
                edge = np.uint32(edges[place])  # unsigned, as no index below 0 has to be looked for
                if marks[edge] >= 0:
                    marks[edge] += 1
    scores, heaviest = np.zeros(len(candidates)), np.full(len(candidates), -1)
    for label, item in enumerate(candidates):
        most, last = 0.0, -1
        for edge in edges[offsets[item] : offsets[item + 1]]:
            # An item's edges are in order, so that one that it has twice stands beside itself.
            if edge == last:
                continue
            last = edge
            if marks[edge] > 0:
                say = weights[edge] * min(marks[edge], MOST_PER_EDGE)
                scores[label] += say
                if say > most:
                    most, heaviest[label] = say, edge
    for item in candidates:
        for edge in edges[offsets[item] : offsets[item + 1]]:
            marks[edge] = -1
    return scores, heaviest
