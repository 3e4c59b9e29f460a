"""What an episode without an answer costs."""

from collections.abc import Sequence

import numpy as np

from recthinker.training.rollout import Rollout

NO_ANSWER = -1.0


def validity_reward(group: Sequence[Rollout]) -> np.ndarray:
    """-1 where the agent gave no answer that could be read, else 0, (G,): below any ranking, the worst included."""
    return np.where([not rollout.scores for rollout in group], NO_ANSWER, 0.0)
