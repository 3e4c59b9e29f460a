"""Which plans (tools called, in order) the rollouts followed, before and after it was decided what to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass

from recthinker.training.stage import StageResult

BEFORE, AFTER = "plans_before", "plans_after"
"""Parameters of `select`: rollouts by plan."""
MOST_PLANS = 12


@dataclass(frozen=True, slots=True)
class PlanMix:
    """A plan, and how much it was followed."""

    name: str
    before: float
    """Share of all rollouts, in [0, 1]."""
    after: float
    """Share of those that are learned from."""
    count: int
    """Rollouts that are learned from."""


def plan_mixes(results: Mapping[str, StageResult]) -> list[PlanMix]:
    """The most frequent plans, most rollouts first; empty where nothing was selected."""
    select = results.get("select")
    if select is None:
        return []
    before, after = (dict(select.params.get(name) or {}) for name in (BEFORE, AFTER))
    all_before, all_after = max(sum(before.values()), 1), max(sum(after.values()), 1)
    mixes = [
        PlanMix(plan, before.get(plan, 0) / all_before, after.get(plan, 0) / all_after, after.get(plan, 0))
        for plan in before.keys() | after.keys()
    ]
    return sorted(mixes, key=lambda mix: (-mix.before, -mix.after, mix.name))[:MOST_PLANS]
