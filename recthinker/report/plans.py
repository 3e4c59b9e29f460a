"""Which plans (tools called, in order) the rollouts followed, before and after it was decided what to learn from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from recthinker.training.stage import StageResult

SELECT, PLANS_FILE = "select", "plans.txt"
"""The stage, and its text of a line a plan: share of all rollouts, share of those kept, plan."""
LINE = re.compile(r"\s*([\d.]+)%\s+([\d.]+)%\s+(\S.*)")
MOST_PLANS = 12


@dataclass(frozen=True, slots=True)
class PlanMix:
    """A plan, and how much it was followed."""

    name: str
    before: float
    """Share of all rollouts, in [0, 1]."""
    after: float
    """Share of those that are learned from."""


def plan_mixes(results: Mapping[str, StageResult]) -> list[PlanMix]:
    """The first plans of the selection, as it lists them; empty where nothing was selected."""
    select = results.get(SELECT)
    lines = select.texts.get(PLANS_FILE, "").splitlines() if select else []
    found = [match.groups() for line in lines if (match := LINE.fullmatch(line))]
    return [PlanMix(name, float(before) / 100, float(after) / 100) for before, after, name in found[:MOST_PLANS]]
