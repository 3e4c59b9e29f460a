"""Whether an agent adapts its effort: who gets more tool calls, and what they buy.

An agent that adapts calls more where it does not know enough. Two things say who that is: how much history there is to
read, and how the agent ranks without any tool. That ranking is wrong where the target is not first by itself (rank
above 1), and right elsewhere. An extra call is one beyond the first, or beyond those that every episode has: an agent
that always calls once, or always twice, has looked, and has adapted nothing.

What the first call found may be enough for one user and not for another, though both were wrong without it. So
`further_calls` asks of who made n calls: is there another one where the agent, made to answer after them, is wrong?

A figure is `value`, `low`, `high`, with its 95 % interval over users, and None where it cannot be told: too few users,
or no two that differ.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recthinker.evaluation.correlation import spearman
from recthinker.evaluation.metrics import ndcg
from recthinker.evaluation.significance import Interval, bootstrap, bootstrap_difference, bootstrap_mean
from recthinker.settings import EvaluationSettings

MIN_USERS = 10
"""Fewer users than this in a group tell nothing of it."""
HISTORY_BINS = 4

Figure = dict[str, float] | None


def adaptivity(
    calls: np.ndarray,
    ranks: np.ndarray,
    blind_ranks: np.ndarray,
    history_lengths: np.ndarray,
    settings: EvaluationSettings,
) -> dict[str, Any]:
    """How calls go with need; a user counts with the mean over the orders shown.

    Args:
        calls: of each episode, (S, U): a row for each order in which the candidates were shown.
        ranks: the target's rank in each, (S, U).
        blind_ranks: the target's rank without any tool, (U,).
        history_lengths: events that each user has before the target, (U,).
    """
    told = _Told(settings)
    wrong = blind_ranks > 1
    fewest = int(calls.min())
    is_extra = calls > max(1, fewest)
    blind = ndcg(blind_ranks, settings.k)
    per_user = calls.mean(axis=0)
    return {
        "calls": told.mean(per_user),
        "fewest_calls": fewest,
        "extra_beyond": max(1, fewest),
        "history": told.correlation(per_user, history_lengths),
        "history_bins": _by_history(per_user, history_lengths, told),
        "blind_ndcg": told.correlation(per_user, blind),
        "wrong_users": int(wrong.sum()),
        "right_users": int((~wrong).sum()),
        "any_call": told.contrast((calls > 0).mean(axis=0), wrong),
        "extra_call": told.contrast(is_extra.mean(axis=0), wrong),
        "mean_calls": told.contrast(per_user, wrong),
        **_choices(is_extra.mean(axis=0), wrong, told),
        "gains": _by_calls(calls, ndcg(ranks, settings.k) - blind, told),
    }


def further_calls(
    calls: np.ndarray, ranks: np.ndarray, stopped: Mapping[int, np.ndarray], settings: EvaluationSettings
) -> list[dict[str, Any]]:
    """By calls made, how a further call goes with what is known after them; all in one order of the candidates.

    Args:
        calls: of each episode, (U,).
        ranks: the target's rank in it, (U,).
        stopped: the target's rank, (U,), where the agent had to answer after that many calls, 1 or more.
    """
    told = _Told(settings)
    found = []
    for made, early in sorted(stopped.items()):
        reached = calls >= made
        wrong, further = early[reached] > 1, calls[reached] > made
        gain = ndcg(ranks[reached], settings.k) - ndcg(early[reached], settings.k)
        found.append(
            {
                **{"after": made, "wrong_users": int(wrong.sum()), "right_users": int((~wrong).sum())},
                **{"further": told.contrast(further.astype(float), wrong), "gain": told.mean(gain[further])},
            }
        )
    return found


class _Told:
    """Figures with their intervals, None where they cannot be told."""

    def __init__(self, settings: EvaluationSettings) -> None:
        self._seeded = {"draws": settings.bootstrap_draws, "seed": settings.seed}

    def mean(self, values: np.ndarray) -> Figure:
        """The mean over users, (U,)."""
        return _figure(bootstrap_mean(values, **self._seeded)) if len(values) >= MIN_USERS else None

    def share(self, part: np.ndarray, whole: np.ndarray) -> Figure:
        """The sum of one value a user over that of another, both (U,), over the users with any of the second."""
        part, whole = part[whole > 0], whole[whole > 0]
        if len(whole) < MIN_USERS:
            return None
        return _figure(bootstrap(lambda p, w: p.sum(axis=1) / w.sum(axis=1), part, whole, **self._seeded))

    def correlation(self, left: np.ndarray, right: np.ndarray) -> Figure:
        """Spearman's over users, both (U,)."""
        if len(left) < MIN_USERS or np.ptp(left) == 0 or np.ptp(right) == 0:
            return None
        return _figure(bootstrap(spearman, left, right, **self._seeded))

    def contrast(self, values: np.ndarray, wrong: np.ndarray) -> dict[str, Figure]:
        """The mean where a ranking is wrong, where it is right, and the difference of these."""
        left, right = values[wrong], values[~wrong]
        is_told = min(len(left), len(right)) >= MIN_USERS
        difference = _figure(bootstrap_difference(left, right, **self._seeded)) if is_told else None
        return {"wrong": self.mean(left), "right": self.mean(right), "difference": difference}


def _figure(found: Interval) -> Figure:
    return {"value": found.mean, "low": found.low, "high": found.high}


def _by_history(calls: np.ndarray, lengths: np.ndarray, told: _Told) -> list[dict[str, Any]]:
    """Mean calls of the users in each quarter by length of history; equal lengths stay in one bin, so that bins can
    differ in size, and there can be fewer.
    """
    borders = np.unique(np.quantile(lengths, np.arange(1, HISTORY_BINS) / HISTORY_BINS))
    places = np.searchsorted(borders, lengths)
    return [
        {
            **{"shortest": int(lengths[inside].min()), "longest": int(lengths[inside].max())},
            **{"users": int(inside.sum()), "calls": told.mean(calls[inside])},
        }
        for inside in (places == place for place in np.unique(places))
    ]


def _choices(extra: np.ndarray, wrong: np.ndarray, told: _Told) -> dict[str, Figure]:
    """Extra calls as a guess that the ranking without tools is wrong: precision is to be held against the share of
    users where it is, which extra calls at random would have.

    Args:
        extra: share of a user's episodes with an extra call, (U,).
    """
    return {
        "wrong_share": told.mean(wrong.astype(float)),
        "precision": told.share(extra * wrong, extra),
        "recall": told.mean(extra[wrong]),
        "restraint": told.mean(1 - extra[~wrong]),
    }


def _by_calls(calls: np.ndarray, gain: np.ndarray, told: _Told) -> list[dict[str, Any]]:
    """What tools add to the NDCG in the episodes with each number of calls; both (S, U). A user whose episodes differ
    is counted at several. It compares users, who are not alike: what a call is worth is told by limiting all of them.
    """
    found = []
    for number in np.unique(calls):
        episodes = (calls == number).sum(axis=0)
        users = episodes > 0
        gains = np.where(calls == number, gain, 0.0).sum(axis=0)[users] / episodes[users]
        counts = {"calls": int(number), "episodes": int(episodes.sum()), "users": int(users.sum())}
        found.append({**counts, "gain": told.mean(gains)})
    return found
