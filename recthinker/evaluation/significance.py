"""Percentile bootstrap over users; for two systems on the same lists, of the per-user difference.

Source: Ihemelandu & Ekstrand, SIGIR 2023: resample users, never list rows; paired.
"""

from typing import NamedTuple

import numpy as np

DRAWS_AT_ONCE = 500


class Interval(NamedTuple):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


def bootstrap_mean(values: np.ndarray, *, draws: int, seed: int) -> Interval:
    """The mean of one value a user, (U,), with the 2.5 and 97.5 percentiles of its resampled means."""
    rng = np.random.default_rng(seed)
    means = np.concatenate(
        [
            values[rng.integers(len(values), size=(min(DRAWS_AT_ONCE, draws - start), len(values)))].mean(axis=1)
            for start in range(0, draws, DRAWS_AT_ONCE)
        ]
    )
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))
