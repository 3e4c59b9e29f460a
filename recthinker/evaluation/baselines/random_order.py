"""Uniform noise: what any list gives for nothing."""

import numpy as np


def random_scores(candidates: np.ndarray, *, seed: int) -> np.ndarray:
    """Uniform noise, (U, N)."""
    return np.random.default_rng(seed).random(candidates.shape)
