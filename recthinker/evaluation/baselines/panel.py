"""All baselines on the same candidates of the same users."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recthinker.evaluation.baselines.als import als_scores
from recthinker.evaluation.baselines.ease import ease_scores
from recthinker.evaluation.baselines.fusion import fusion_scores
from recthinker.evaluation.baselines.itemknn import itemknn_scores
from recthinker.evaluation.baselines.popularity import popularity_scores
from recthinker.evaluation.baselines.random_order import random_scores
from recthinker.settings import AlsSettings, EvaluationSettings

FUSION = "fusion of tools"


@dataclass(frozen=True, slots=True)
class Panel:
    """The baselines' scores."""

    scores: Mapping[str, np.ndarray]
    """By system, (U, N)."""
    left_out: Mapping[str, str]
    """Systems that were not run, and why."""


def run_baselines(
    train: sparse.csr_matrix,
    known: sparse.csr_matrix,
    candidates: np.ndarray,
    evidence: Mapping[str, np.ndarray],
    settings: EvaluationSettings,
    als: AlsSettings,
) -> Panel:
    """Every baseline that the size of the catalogue allows.

    Args:
        train: who has what in the cut, (V, I).
        known: what each user has before the target, (U, I).
        candidates: item columns for each user, (U, N).
        evidence: what the agent's tools tell of the candidates, by kind, (U, N); for the fusion.
        settings: neighbours, penalty, bounds, seed.
        als: of the factorization: that of the candidate source.
    """
    scores = {
        "random": random_scores(candidates, seed=settings.seed),
        "popularity": popularity_scores(train, candidates),
        FUSION: fusion_scores(evidence.values()),
        "ItemKNN": itemknn_scores(train, known, candidates, neighbours=settings.itemknn_neighbours),
        "ALS": als_scores(train, known, candidates, als, seed=settings.seed),
    }
    items = train.shape[1]
    if items > settings.ease_max_items:
        why = f"its catalogue may hold {settings.ease_max_items} items (evaluation.ease_max_items), found {items}"
        return Panel(scores, {"EASE": why})
    scores["EASE"] = ease_scores(train, known, candidates, l2=settings.ease_l2)
    return Panel(scores, {})
