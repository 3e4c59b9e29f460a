"""Whether the agent adapts its effort, as logged (recthinker/evaluation/adaptivity.py says what each figure is)."""

import math

from recthinker.report.part import Part


class Figure(Part):
    """A figure with its 95 % bootstrap interval over users."""

    value: float
    low: float
    high: float


class Contrast(Part):
    """A figure where a ranking is wrong (without tools, where nothing else is said), where it is right, and their
    difference; None where it cannot be told, here and below.
    """

    wrong: Figure | None
    right: Figure | None
    difference: Figure | None


class FurtherCalls(Part):
    """Who calls again after so many calls; `wrong` and `right` are of the ranking that they would have given then."""

    after: int
    wrong_users: int
    right_users: int
    further: Contrast
    """Probability of another call."""
    gain: Figure | None
    """NDCG that calling on added for those who did."""

    @property
    def calls(self) -> str:
        """After how many, in words."""
        return f"{self.after} call{'' if self.after == 1 else 's'}"


class HistoryBin(Part):
    """Users with histories of about one length."""

    shortest: int
    longest: int
    users: int
    calls: Figure | None


class CallGain(Part):
    """What tools add in the episodes with one number of calls."""

    calls: int
    episodes: int
    users: int
    gain: Figure | None


class Adaptivity(Part):
    """How calls go with need."""

    calls: Figure | None
    extra_beyond: int
    """A call beyond so many is an extra one."""
    history: Figure | None
    """Spearman's correlation of calls with length of history."""
    history_bins: tuple[HistoryBin, ...]
    blind_ndcg: Figure | None
    """Spearman's correlation of calls with the NDCG without tools."""
    wrong_users: int
    right_users: int
    any_call: Contrast
    extra_call: Contrast
    mean_calls: Contrast
    wrong_share: Figure | None
    precision: Figure | None
    recall: Figure | None
    restraint: Figure | None
    gains: tuple[CallGain, ...]

    @property
    def extra(self) -> str:
        """What an extra call is, in words."""
        return f"more than {self.extra_beyond} call{'' if self.extra_beyond == 1 else 's'}"

    @property
    def call_ticks(self) -> list[int]:
        """Whole calls from 0 that span every bin's interval."""
        told = [one.calls.high for one in self.history_bins if one.calls]
        return list(range(max(1, math.ceil(max(told, default=1))) + 1))


class CallPoint(Part):
    """The agent with at most so many calls."""

    max_calls: int
    calls: float
    """Made in the mean."""
    ndcg: float
    low: float
    high: float
