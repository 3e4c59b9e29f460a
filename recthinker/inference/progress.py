"""How far a batch of episodes is."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from recthinker.agent import Episode, Outcome


@dataclass(slots=True)
class BatchProgress:
    """How far a batch is."""

    total: int
    done: int = 0
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    earlier: int = 0
    """Of `done`, episodes that an earlier run finished."""

    @classmethod
    def resumed(cls, total: int, outcomes: Mapping[str, int]) -> "BatchProgress":
        """A batch of which an earlier run finished what `outcomes` counts."""
        done = sum(outcomes.values())
        return cls(total, done, {Outcome(name): count for name, count in outcomes.items()}, earlier=done)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    @property
    def users_per_s(self) -> float:
        """Episodes that this run finished per second."""
        return (self.done - self.earlier) / max(self.seconds, 1e-9)

    def count(self, episode: Episode) -> None:
        """One more episode ended."""
        outcome = episode.outcome or Outcome.FALLBACK_ERROR
        self.done += 1
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
