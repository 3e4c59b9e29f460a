"""What a level of evidence adds to a candidate's score, as the scripted planner reads it: fitted, or a guess before.

Fitted weights are of a set of tools: where two tell nearly the same, each says less beside the other than alone. How
likely the choices are by them tells which tool to ask next.
"""

import json
import math
from collections.abc import Collection, Mapping
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

LEAST_GAIN = 0.002
"""Nats a choice that a further tool has to add to be asked."""

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
    nats: Mapping[frozenset[str], float] = field(default_factory=dict)
    """By the same: how likely the choices are by them, nats a choice; of no tool, by a guess."""

    def of(self, tools: Mapping[str, Tool]) -> Weights:
        """Weights where these tools have told something; those of the largest set fitted where none was for these."""
        weights = prior(tools)
        largest = max(self.fitted, key=len, default=frozenset())
        return weights | dict(self.fitted.get(frozenset(weights), self.fitted.get(largest, {})))

    def next_tool(self, known: Collection[str], tools: Mapping[str, Tool]) -> str | None:
        """The tool that adds most to what the known ones tell; None where none is known to add `LEAST_GAIN`."""
        told = frozenset(prior(tools)).intersection(known)
        nats = {name: self.nats.get(told | {name}, -math.inf) for name in prior(tools) if name not in told}
        best = max(nats, key=nats.__getitem__, default=None)
        is_worth = best is not None and nats[best] - self.nats.get(told, math.inf) >= LEAST_GAIN
        return best if is_worth else None

    def write(self, path: Path) -> None:
        """As JSON."""
        rows = [
            {"told": sorted(told), "nats": self.nats[told], "weights": weights} for told, weights in self.fitted.items()
        ]
        path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def is_whole(path: Path) -> bool:
        """Whether a file is there that holds all that is fitted."""
        return path.is_file() and all("nats" in row for row in json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def read(cls, path: Path) -> "EvidenceWeights":
        """What `write` wrote; the prior where it wrote nothing or not all, as beside a model of another maker."""
        if not cls.is_whole(path):
            return UNFITTED
        rows = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            {frozenset(row["told"]): {name: tuple(values) for name, values in row["weights"].items()} for row in rows},
            {frozenset(row["told"]): row["nats"] for row in rows},
        )


UNFITTED = EvidenceWeights()
"""The prior."""
