"""What few calls earn, among the answers of a group that are as good as its best: nobody gains by calling less at the
price of a worse ranking.

Source: OTC-PO (Wang et al., 2504.14870), its form for GRPO, with NDCG near the group's best in the place of a correct
answer.
"""

import math
from collections.abc import Sequence

import numpy as np

from recthinker.training.rollout import Rollout

SMOOTHING = 2.0
"""Of the form where the fewest calls are none: c in the paper."""


def efficiency_reward(group: Sequence[Rollout], is_near_best: np.ndarray, broken_call: float) -> np.ndarray:
    """1 for the fewest calls among the near-best, towards 0 the more there are; 0 for all others, (G,).

    Args:
        is_near_best: who is compared, (G,).
        broken_call: calls that a broken one counts as, beside itself.
    """
    calls = np.array([rollout.calls + broken_call * rollout.broken_calls for rollout in group])
    if not is_near_best.any():
        return np.zeros(len(group))
    fewest = float(calls[is_near_best].min())
    return np.where(is_near_best, [_efficiency(float(count), fewest) for count in calls], 0.0)


def _efficiency(calls: float, fewest: float) -> float:
    if fewest == 0:
        return math.cos(calls * math.pi / (2 * calls + SMOOTHING))
    return math.sin(calls * math.pi / (calls + fewest))
