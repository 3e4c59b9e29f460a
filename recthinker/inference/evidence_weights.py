"""What a level of evidence adds to a candidate's score, as the scripted planner reads it: fitted, or a guess before.

A fit is of a set of tools: where two tell nearly the same, each says less beside the other than alone. How likely the
choices are by them tells which tool to ask next, and how far ahead the best candidate must be whether to ask at all.
"""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recthinker.tools import MAX_LEVEL, Tool

Curve = tuple[float, ...]
"""What each level from 0 to `MAX_LEVEL` adds, logits."""
Weights = Mapping[str, tuple[Curve, ...]]
"""By tool, in the order of its `evidence`."""

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


def prior(tools: Mapping[str, Tool]) -> dict[str, tuple[Curve, ...]]:
    """Weights before anything was fitted, of the tools that give evidence: lines."""
    slopes = {
        name: PRIOR.get(name, (OTHER_PRIOR,) * len(tool.evidence)) for name, tool in tools.items() if tool.evidence
    }
    return {name: tuple(line(slope) for slope in of) for name, of in slopes.items()}


def line(slope: float) -> Curve:
    """So much for each level."""
    return tuple(slope * level for level in range(MAX_LEVEL + 1))


@dataclass(frozen=True, slots=True)
class Fit:
    """How to read what a set of tools has told."""

    weights: Weights = field(default_factory=dict)
    nats: float = -math.inf
    """How likely the choices are by them, nats a choice; of no tool, by a guess."""
    enough: float = math.inf
    """Lead of the best candidate, logits, from which to answer rather than ask on; infinite = never."""


@dataclass(frozen=True, slots=True)
class EvidenceWeights:
    """By the tools that have told something."""

    fits: Mapping[frozenset[str], Fit] = field(default_factory=dict)

    def of(self, tools: Mapping[str, Tool]) -> Weights:
        """Weights where these tools have told something; those of the largest set fitted where none was for these."""
        weights = prior(tools)
        largest = max(self.fits, key=len, default=frozenset())
        fit = self.fits.get(frozenset(weights), self.fits.get(largest, Fit()))
        return weights | dict(fit.weights)

    def next_tool(self, known: Collection[str], tools: Mapping[str, Tool]) -> str | None:
        """The tool that adds most to what the known ones tell; None where none is known to add `LEAST_GAIN`."""
        told = frozenset(prior(tools)).intersection(known)
        nats = {name: self.fits.get(told | {name}, Fit()).nats for name in prior(tools) if name not in told}
        best = max(nats, key=nats.__getitem__, default=None)
        is_worth = told in self.fits and best is not None and nats[best] - self.fits[told].nats >= LEAST_GAIN
        return best if is_worth else None

    def plan(self, tools: Mapping[str, Tool]) -> list[str]:
        """The tools that are asked where nothing is enough, in order."""
        known: list[str] = []
        while name := self.next_tool(known, tools):
            known.append(name)
        return known

    def is_enough(self, known: Collection[str], lead: float) -> bool:
        """Whether to answer where the best candidate leads by so much after these tools."""
        evident = frozenset().union(*self.fits)
        return lead >= self.fits.get(evident.intersection(known), Fit()).enough

    def write(self, path: Path) -> None:
        """As JSON; null where nothing is enough."""
        rows = [
            {
                "told": sorted(told),
                "nats": fit.nats,
                "enough": fit.enough if math.isfinite(fit.enough) else None,
                "weights": fit.weights,
            }
            for told, fit in self.fits.items()
        ]
        path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def is_whole(path: Path) -> bool:
        """Whether a file is there that holds all that is fitted."""
        return path.is_file() and all("enough" in row for row in json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def read(cls, path: Path) -> "EvidenceWeights":
        """What `write` wrote; the prior where it wrote nothing or not all, as beside a model of another maker."""
        rows = json.loads(path.read_text(encoding="utf-8")) if cls.is_whole(path) else []
        return cls({frozenset(row["told"]): _fit_of_row(row) for row in rows})


def _fit_of_row(row: Mapping[str, Any]) -> Fit:
    weights = {name: tuple(map(tuple, curves)) for name, curves in row["weights"].items()}
    return Fit(weights, row["nats"], math.inf if row["enough"] is None else row["enough"])


UNFITTED = EvidenceWeights()
"""The prior."""
