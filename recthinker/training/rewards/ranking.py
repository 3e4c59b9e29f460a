"""What a ranking earns: NDCG@k with one relevant item, the one that was really chosen.

Source: Järvelin & Kekäläinen, ACM TOIS 20 (2002), https://doi.org/10.1145/582415.582418; with one relevant item the
ideal DCG is 1.
"""

from collections.abc import Sequence

import numpy as np

from recthinker.evaluation.metrics import ndcg
from recthinker.training.rollout import Rollout


def ranking_reward(group: Sequence[Rollout], k: int) -> np.ndarray:
    """NDCG@k of the ranking that would be served, (G,); 0 without an answer."""
    return ndcg(np.array([rollout.rank for rollout in group]), k)
