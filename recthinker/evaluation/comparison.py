"""The offline figure: systems on the same candidates of the same users, with paired intervals and a leak probe."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recthinker.evaluation.metrics import chance, hit_rate, ndcg, target_ranks
from recthinker.evaluation.significance import bootstrap_mean
from recthinker.settings import EvaluationSettings

PROTOCOL = (
    "leave-last-one: each user's last interaction (ties in time in seeded hash order) among {negatives} random items "
    "that the user does not have; statistics and history without any user's last interaction. It does not prevent that "
    "other users' later events are in the statistics."
)
PROBE = "anti-popularity"


def compare(
    scores: Mapping[str, np.ndarray],
    target: np.ndarray,
    settings: EvaluationSettings,
    *,
    subject: str,
    left_out: int,
    command: str,
) -> dict[str, Any]:
    """Every system's NDCG@k and HR@k with intervals, and the paired NDCG difference of `subject` to each other.

    Args:
        scores: by system, (U, N); must hold `subject` and `popularity`.
        target: the target's column, (U,).
        left_out: users without a test item.
    """
    ranks = {name: target_ranks(values, target) for name, values in scores.items()}
    gains = {name: ndcg(rank, settings.k) for name, rank in ranks.items()}
    width = next(iter(scores.values())).shape[1]
    floor = chance(width, settings.k)
    probe = ndcg(target_ranks(-scores["popularity"], target), settings.k).mean()
    return {
        "protocol": PROTOCOL.format(negatives=settings.negatives),
        "users": len(target),
        "left_out": left_out,
        "k": settings.k,
        "chance": {"ndcg": floor[0], "hr": floor[1]},
        "systems": [_system(name, gains[name], hit_rate(rank, settings.k), settings) for name, rank in ranks.items()],
        "paired": [_paired(name, gains[subject] - gains[name], settings) for name in scores if name != subject],
        "probes": [
            {
                "name": PROBE,
                "value": float(probe),
                "expectation": f"at most chance ({floor[0]:.4f}); clearly above it, statistics leak the target",
            }
        ],
        "command": command,
    }


def _system(name: str, gains: np.ndarray, hits: np.ndarray, settings: EvaluationSettings) -> dict[str, Any]:
    gain, hit = (bootstrap_mean(values, draws=settings.bootstrap_draws, seed=settings.seed) for values in (gains, hits))
    return {
        "name": name,
        **{"ndcg": gain.mean, "ndcg_low": gain.low, "ndcg_high": gain.high},
        **{"hr": hit.mean, "hr_low": hit.low, "hr_high": hit.high},
    }


def _paired(name: str, differences: np.ndarray, settings: EvaluationSettings) -> dict[str, Any]:
    difference = bootstrap_mean(differences, draws=settings.bootstrap_draws, seed=settings.seed)
    return {"against": name, "difference": difference.mean, "low": difference.low, "high": difference.high}
