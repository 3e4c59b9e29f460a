"""Percentile bootstrap over users; for two systems on the same lists, of the per-user difference.

Source: Ihemelandu & Ekstrand, SIGIR 2023: resample users, never list rows; paired.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

DRAWS_AT_ONCE = 500


class Interval(NamedTuple):
    """A mean, or the figure of `bootstrap`, with its 95 % interval."""

    mean: float
    low: float
    high: float


def bootstrap_mean(values: np.ndarray, *, draws: int, seed: int) -> Interval:
    """The mean of one value a user, (U,), with the 2.5 and 97.5 percentiles of its resampled means."""
    return bootstrap(_mean, values, draws=draws, seed=seed)


def bootstrap(statistic: Callable[..., np.ndarray], *values: np.ndarray, draws: int, seed: int) -> Interval:
    """A statistic over users with the 2.5 and 97.5 percentiles of what it is on resampled users.

    Args:
        statistic: takes as many arrays as `values`, (D, U), and gives one figure a row, (D,).
        values: one value a user each, (U,); what belongs to one user is drawn together.
    """
    found = _resampled(statistic, values, draws, np.random.default_rng(seed))
    return _interval(statistic(*(column[None, :] for column in values))[0], found)


def bootstrap_difference(left: np.ndarray, right: np.ndarray, *, draws: int, seed: int) -> Interval:
    """The mean of one group of users, (V,), minus that of another, (W,); nothing pairs them, so that each is resampled
    by itself, its size kept.
    """
    rng = np.random.default_rng(seed)
    found = _resampled(_mean, (left,), draws, rng) - _resampled(_mean, (right,), draws, rng)
    return _interval(left.mean() - right.mean(), found)


def _mean(values: np.ndarray) -> np.ndarray:
    means: np.ndarray = values.mean(axis=1)
    return means


def _resampled(
    statistic: Callable[..., np.ndarray], values: tuple[np.ndarray, ...], draws: int, rng: np.random.Generator
) -> np.ndarray:
    """The statistic on each of `draws` resamples of the users, (draws,)."""
    users = len(values[0])
    drawn = (
        rng.integers(users, size=(min(DRAWS_AT_ONCE, draws - start), users)) for start in range(0, draws, DRAWS_AT_ONCE)
    )
    return np.concatenate([statistic(*(column[places] for column in values)) for places in drawn])


def _interval(figure: float, resampled: np.ndarray) -> Interval:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(float(figure), float(low), float(high))
