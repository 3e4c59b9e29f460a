"""A group's rewards as advantages: what each rollout did better than the others of its request.

Accuracy decides, efficiency only speaks among those as good as the best, and never turns a sign: the best ranking of a
group is never held against the model, and a better ranking is always worth more than fewer calls.
Sources: GRPO (Shao et al., 2402.03300) without the group's spread as divisor (Dr. GRPO, Liu et al., 2503.20783); the
sign that an efficiency reward may turn: AdaTIR (2601.14696).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recthinker.settings import RlSettings
from recthinker.training.rewards.efficiency import efficiency_reward
from recthinker.training.rewards.ranking import ranking_reward
from recthinker.training.rewards.validity import validity_reward
from recthinker.training.rollout import Rollout

KEPT_GAP = 0.5
"""Share of the gap to the next best ranking that efficiency may take up."""


@dataclass(frozen=True, slots=True)
class Advantages:
    """Of a group, arrays (G,)."""

    values: np.ndarray
    """0 for a rollout that ended by a fault of ours."""
    parts: dict[str, np.ndarray]
    """Rewards by name; NaN where nothing is scored."""

    @property
    def is_flat(self) -> bool:
        """Whether nothing can be learned from the group."""
        return not self.values.any()


def group_advantages(group: Sequence[Rollout], settings: RlSettings, k: int) -> Advantages:
    """The advantages of the rollouts of one request."""
    scored = np.array([rollout.is_scored for rollout in group])
    ranking, validity = ranking_reward(group, k), validity_reward(group)
    reward = np.where(scored, ranking + validity, np.nan)
    if not scored.any():
        return Advantages(np.zeros(len(group)), {"ranking": reward, "validity": reward, "efficiency": reward})
    has_answer = np.array([bool(rollout.scores) for rollout in group])
    near_best = scored & has_answer & (ranking >= np.nanmax(reward) - settings.near_best)
    efficiency = efficiency_reward(group, near_best, settings.broken_call)
    accuracy = reward - np.nanmean(reward)
    values = _joined(accuracy, _among(efficiency, near_best), near_best, settings.efficiency)
    if settings.algorithm == "grpo":
        values = values / (np.nanstd(reward) + 1e-4)
    parts = {"ranking": ranking, "validity": validity, "efficiency": efficiency}
    return Advantages(
        np.where(scored, values, 0.0), {name: np.where(scored, part, np.nan) for name, part in parts.items()}
    )


def _among(efficiency: np.ndarray, near_best: np.ndarray) -> np.ndarray:
    """Efficiency against its mean among the near-best; 0 for all others."""
    if not near_best.any():
        return np.zeros(len(efficiency))
    return np.where(near_best, efficiency - efficiency[near_best].mean(), 0.0)


def _joined(accuracy: np.ndarray, efficiency: np.ndarray, near_best: np.ndarray, weight: float) -> np.ndarray:
    """Both, as far as efficiency leaves the sign of accuracy and the order of unequal rankings as they are."""
    others = accuracy[~near_best & ~np.isnan(accuracy)]
    largest = float(np.abs(efficiency).max(initial=0.0))
    if others.size and largest:
        weight = min(weight, KEPT_GAP * float(np.nanmin(accuracy[near_best]) - others.max()) / largest)
    joined = accuracy + weight * efficiency
    is_even = np.isclose(accuracy, 0.0)
    held = np.where(accuracy > 0, np.maximum(joined, 0.0), np.minimum(joined, 0.0))
    return np.where(is_even, weight * np.maximum(efficiency, 0.0), held)
