"""Training cuts: views of the interactions that a model's statistics are built from, without its targets.

What a cut does not prevent: `holdout_last` takes away each user's own newest events, while events of other
users at the same time stay in the statistics. `temporal` has no such leak, and gives users without a later
event no target.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from recthinker.errors import ConfigError
from recthinker.features.order import newest_first

HELD_OUT_EVENT = ("user_id", "position", "item_id", "event_time", "event_type", "rating")


class Split(NamedTuple):
    """What a cut makes of the interactions: together the two hold each event once."""

    view: DataFrame
    """Rows of `interactions` that statistics may see."""
    held_out: DataFrame
    """Rows of `held_out`, the events taken away."""


def holdout_last(interactions: DataFrame, n: int, *, ds: str, seed: int) -> Split:
    """Each user's `n` newest events taken away; ties in time by seeded hash, as in `user_history`.

    A user with at most `n` events has none left in the view.
    """
    placed = interactions.withColumn("position", F.row_number().over(newest_first(seed)))
    is_held_out = F.col("position") <= n
    return Split(placed.where(~is_held_out).drop("position"), _held_out(placed.where(is_held_out), ds))


def temporal(interactions: DataFrame, before: date, *, ds: str, seed: int) -> Split:
    """The events from midnight (UTC) that begins `before` on taken away; position 1 = a user's newest."""
    start = F.lit(datetime.combine(before, time.min, tzinfo=UTC))
    later = interactions.where(F.col("event_time") >= start)
    placed = later.withColumn("position", F.row_number().over(newest_first(seed)))
    return Split(interactions.where(F.col("event_time") < start), _held_out(placed, ds))


@dataclass(frozen=True, slots=True)
class Cut:
    """A training cut, as named on a command line: `holdout_last:11` or `temporal:1998-03-01`."""

    kind: Literal["holdout_last", "temporal"]
    value: int | date
    """Events taken from each user, or the first day taken away."""

    @classmethod
    def parse(cls, text: str) -> "Cut":
        """The cut that `text` names.

        Raises:
            ConfigError: `text` is neither `holdout_last:<n >= 1>` nor `temporal:<YYYY-MM-DD>`.
        """
        kind, _, value = text.partition(":")
        if kind == "holdout_last" and re.fullmatch(r"[1-9]\d{0,8}", value):
            return cls("holdout_last", int(value))
        if kind == "temporal" and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            try:
                return cls("temporal", date.fromisoformat(value))
            except ValueError as error:
                raise ConfigError(f"training cut {text!r}: {value} is no date; give temporal:YYYY-MM-DD") from error
        raise ConfigError(f"a training cut should be holdout_last:N (N >= 1) or temporal:YYYY-MM-DD, found {text!r}")

    @property
    def name(self) -> str:
        """The folder that its tables lie in: `holdout_last_11`, `temporal_1998-03-01`."""
        return f"{self.kind}_{self.value}"

    def split(self, interactions: DataFrame, *, ds: str, seed: int) -> Split:
        """`interactions` (known before the end of `ds`) as view and held-out events."""
        if isinstance(self.value, int):
            return holdout_last(interactions, self.value, ds=ds, seed=seed)
        return temporal(interactions, self.value, ds=ds, seed=seed)


def _held_out(placed: DataFrame, ds: str) -> DataFrame:
    return placed.select(F.lit(ds).alias("ds"), *HELD_OUT_EVENT)
