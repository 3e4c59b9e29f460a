"""What a level of evidence adds to a candidate's score, as the scripted planner reads it: fitted, or a guess before.

Fitted weights are of a set of tools: where two tell nearly the same, each says less beside the other than alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recthinker.tools import Tool

PRIOR: Mapping[str, tuple[float, ...]] = {
    "co_interactions": (0.5, 0.0),
    "similar_users": (0.075,),
    "item_info": (0.05, 0.025),
    "item_relations": (0.025,),
}
"""Logits a level, by evidence, before anything was fitted: co-interactions count, the others break ties."""
OTHER_PRIOR = 0.025
"""Of the evidence of any other tool."""

Weights = Mapping[str, tuple[float, ...]]
"""By tool, in the order of its `evidence`."""


def prior(tools: Mapping[str, Tool]) -> dict[str, tuple[float, ...]]:
    """Weights before anything was fitted, of the tools that give evidence."""
    return {name: PRIOR.get(name, (OTHER_PRIOR,) * len(tool.evidence)) for name, tool in tools.items() if tool.evidence}


@dataclass(frozen=True, slots=True)
class EvidenceWeights:
    """Weights in logits a level."""

    fitted: Mapping[frozenset[str], Weights] = field(default_factory=dict)
    """By the tools that have told something."""

    def of(self, tools: Mapping[str, Tool]) -> Weights:
        """Weights where these tools have told something; those of the largest set fitted where none was for these."""
        weights = prior(tools)
        largest = max(self.fitted, key=len, default=frozenset())
        return weights | dict(self.fitted.get(frozenset(weights), self.fitted.get(largest, {})))

    def write(self, path: Path) -> None:
        """As JSON."""
        rows = [{"told": sorted(told), "weights": weights} for told, weights in self.fitted.items()]
        path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "EvidenceWeights":
        """What `write` wrote; the prior where it wrote nothing, as beside a model of another maker."""
        if not path.is_file():
            return UNFITTED
        rows = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            {frozenset(row["told"]): {name: tuple(values) for name, values in row["weights"].items()} for row in rows}
        )


UNFITTED = EvidenceWeights()
"""The prior."""
