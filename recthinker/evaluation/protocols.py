"""The two ways in which the answer is kept from the statistics, and what each does not prevent."""

import re
from dataclasses import dataclass
from datetime import date

from recthinker.errors import ConfigError

LEAVE_LAST_ONE = "leave_last_one"
TEMPORAL = "temporal"

RULE = {
    LEAVE_LAST_ONE: (
        "leave-last-one: each user's last interaction (ties in time in seeded hash order) among {negatives} random "
        "items that the user does not have; statistics and history without any user's last interaction. It does not "
        "prevent that other users' later events are in the statistics."
    ),
    TEMPORAL: (
        "temporal: each user's last interaction from {before} on (ties in time in seeded hash order) among {negatives} "
        "random items that the user does not have; no statistic has seen an event from that day on, while the user's "
        "own history grows up to the target. It leaves out who has events on one side of the day only, and does not "
        "prevent that a model was trained on events of after that day."
    ),
}
"""What a protocol is, in a sentence or two for readers."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """An evaluation protocol: which training cut the statistics come from. The target is each user's newest event of
    those that the cut takes away.
    """

    name: str
    """`leave_last_one` or `temporal`."""
    before: date | None = None
    """Of `temporal`: the first day that the statistics do not see."""

    @classmethod
    def parse(cls, text: str) -> "Protocol":
        """The protocol that `text` names, as `leave_last_one` or `temporal:1998-02-01`.

        Raises:
            ConfigError: it is neither.
        """
        name, _, day = text.partition(":")
        if name == LEAVE_LAST_ONE and not day:
            return cls(LEAVE_LAST_ONE)
        if name == TEMPORAL and re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            try:
                return cls(TEMPORAL, date.fromisoformat(day))
            except ValueError as error:
                raise ConfigError(f"evaluation protocol {text!r}: {day} is no date") from error
        raise ConfigError(f"an evaluation protocol should be leave_last_one or temporal:YYYY-MM-DD, found {text!r}")

    def __str__(self) -> str:
        return f"{self.name}:{self.before}" if self.before else self.name

    @property
    def cut(self) -> str:
        """Name of the training cut: the folder of its tables."""
        return f"temporal_{self.before}" if self.before else "holdout_last_1"

    def rule(self, negatives: int) -> str:
        """What it is and what it does not prevent, for readers."""
        return RULE[self.name].format(negatives=negatives, before=self.before)
