"""Systems on the same candidates of the same users: metrics with intervals, and differences paired by user.

Users are resampled, never lists: a user's lists in several orders are averaged first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recthinker.evaluation.metrics import chance, hit_rate, ndcg, reciprocal_rank
from recthinker.evaluation.segments import Segment
from recthinker.evaluation.significance import bootstrap_mean
from recthinker.settings import EvaluationSettings


def compare(
    ranks: Mapping[str, np.ndarray], settings: EvaluationSettings, *, subject: str, width: int
) -> dict[str, Any]:
    """Every system's NDCG@k, HR@k and MRR with intervals, and the paired NDCG difference of `subject` to each other.

    Args:
        ranks: the target's rank by system, (S, U): a row for each order in which the candidates were shown.
        width: candidates of a list.
    """
    floor = chance(width, settings.k)
    gains = user_ndcg(ranks, settings.k)
    return {
        "users": len(gains[subject]),
        "k": settings.k,
        "chance": dict(zip(("ndcg", "hr", "mrr"), floor, strict=True)),
        "systems": [_system(name, rank, settings) for name, rank in ranks.items()],
        "paired": paired(gains, settings, subject=subject),
    }


def compare_segments(
    ranks: Mapping[str, np.ndarray], parts: Sequence[Segment], settings: EvaluationSettings, *, subject: str
) -> list[dict[str, Any]]:
    """In each segment: who is in it, every system's NDCG@k, and the paired differences."""
    gains = user_ndcg(ranks, settings.k)
    found = []
    for part in parts:
        inside = {name: values[part.members] for name, values in gains.items()}
        found.append(
            {
                "name": part.name,
                "rule": part.rule,
                "users": int(part.members.sum()),
                "systems": [{"name": name, "ndcg": float(values.mean())} for name, values in inside.items()],
                "paired": paired(inside, settings, subject=subject),
            }
        )
    return found


def user_ndcg(ranks: Mapping[str, np.ndarray], k: int) -> dict[str, np.ndarray]:
    """NDCG@k of each user by system, (U,), the mean over the orders shown."""
    return {name: ndcg(rank, k).mean(axis=0) for name, rank in ranks.items()}


def paired(gains: Mapping[str, np.ndarray], settings: EvaluationSettings, *, subject: str) -> list[dict[str, Any]]:
    """The mean difference of `subject` to every other system with its 95 % interval, the spread of the difference
    over users, and the same in units of that spread (`effect`; 0 where nobody differs).
    """
    return [_paired(name, gains[subject] - gains[name], settings) for name in gains if name != subject]


def _system(name: str, ranks: np.ndarray, settings: EvaluationSettings) -> dict[str, Any]:
    figures: dict[str, Any] = {"name": name}
    for metric, values in (
        ("ndcg", ndcg(ranks, settings.k)),
        ("hr", hit_rate(ranks, settings.k)),
        ("mrr", reciprocal_rank(ranks)),
    ):
        found = bootstrap_mean(values.mean(axis=0), draws=settings.bootstrap_draws, seed=settings.seed)
        figures |= {metric: found.mean, f"{metric}_low": found.low, f"{metric}_high": found.high}
    return figures


def _paired(name: str, differences: np.ndarray, settings: EvaluationSettings) -> dict[str, Any]:
    found = bootstrap_mean(differences, draws=settings.bootstrap_draws, seed=settings.seed)
    spread = float(differences.std())
    return {
        **{"against": name, "difference": found.mean, "low": found.low, "high": found.high},
        **{"sd": spread, "effect": found.mean / spread if spread else 0.0},
    }
