"""Groups of users that an average hides: little history, rare targets, popular targets."""

from dataclasses import dataclass

import numpy as np

SHORT_HISTORIES = "short histories"
RARE_TARGETS = "rare targets"
POPULAR_TARGETS = "popular targets"


@dataclass(frozen=True, slots=True)
class Segment:
    """Some of the users."""

    name: str
    rule: str
    """Who is in it, for readers."""
    members: np.ndarray
    """Whether each user is in it, (U,) bool."""


def segments(history_lengths: np.ndarray, target_popularity: np.ndarray, *, share: float) -> tuple[Segment, ...]:
    """The segments of the users, each about `share` of them; more where many are alike at its border.

    Args:
        history_lengths: events that each user has before the target, (U,).
        target_popularity: events of each user's target in the statistics, (U,).
        share: of the users; the border is that quantile.
    """
    short, rare = np.quantile(history_lengths, share), np.quantile(target_popularity, share)
    popular = np.quantile(target_popularity, 1 - share)
    return (
        Segment(SHORT_HISTORIES, f"at most {short:.0f} events before the target", history_lengths <= short),
        Segment(RARE_TARGETS, f"a target with at most {rare:.0f} events", target_popularity <= rare),
        Segment(POPULAR_TARGETS, f"a target with at least {popular:.0f} events", target_popularity >= popular),
    )
