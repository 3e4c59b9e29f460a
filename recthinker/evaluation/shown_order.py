"""How much a ranking depends on the order in which the candidates were shown."""

from typing import Any

import numpy as np

from recthinker.evaluation.correlation import spearman
from recthinker.evaluation.metrics import ndcg
from recthinker.evaluation.significance import bootstrap_mean
from recthinker.settings import EvaluationSettings


def order_correlation(scores: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Spearman's correlation of rank with shown position of each list, (U,): 1 copies the order shown, -1 turns it
    around, about 0 does not look at it. A list that scores all alike has 0.

    Args:
        scores: of each candidate, higher is better, (U, N).
        shown: the position at which each candidate was shown, 0 = first, (U, N).
    """
    return spearman(-scores, shown)


def shuffle_spread(ranks: np.ndarray, correlation: np.ndarray, settings: EvaluationSettings) -> dict[str, Any]:
    """NDCG@k in each order shown with its interval, and how far a user's NDCG moves with the order.

    Args:
        ranks: the target's rank in each order, (S, U).
        correlation: of rank with shown position, the mean over a user's orders, (U,).
    """
    gains = ndcg(ranks, settings.k)
    found = [bootstrap_mean(order, draws=settings.bootstrap_draws, seed=settings.seed) for order in gains]
    return {
        "orders": [{"ndcg": one.mean, "low": one.low, "high": one.high} for one in found],
        "user_sd": float(gains.std(axis=0).mean()),
        "users_moved": float((gains.max(axis=0) > gains.min(axis=0)).mean()),
        "order_correlation": float(correlation.mean()),
    }
