"""How far a batch of episodes is, and the line that says so."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from recthinker.agent import Episode, Outcome

TELLING_SHARE = 0.02
"""Of a batch, the share that has to be done before its end is foretold: the first episodes come after all that run
beside them began."""


@dataclass(slots=True)
class BatchProgress:
    """How far a batch is. Rates and shares are those of this run: what an earlier one did took its time, not ours."""

    total: int
    done: int = 0
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    earlier: int = 0
    """Of `done`, episodes that an earlier run finished."""
    prompt: int = 0
    """Prompt tokens of the episodes that this run finished."""
    cached: int = 0
    """Those of them that came from the prefix cache."""
    generated: int = 0
    """Tokens that they wrote."""

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

    @property
    def seconds_left(self) -> float | None:
        """Until the end, at the rate so far; None while too few are done to tell."""
        is_known = self.done - self.earlier >= max(1, TELLING_SHARE * self.total)
        return (self.total - self.done) / self.users_per_s if is_known else None

    def count(self, episode: Episode) -> None:
        """One more episode ended."""
        outcome = episode.outcome or Outcome.FALLBACK_ERROR
        self.done += 1
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        tokens = episode.tokens
        self.prompt += tokens.prompt
        self.cached += tokens.cached
        self.generated += tokens.generated

    def line(self, name: str) -> str:
        """`name: done/total users, ...`, as `recthinker.cli.children` reads it; what matters most comes first."""
        seconds, left = max(self.seconds, 1e-9), self.seconds_left
        parts = [
            f"{name}: {self.done}/{self.total} users",
            f"{self.users_per_s:.1f} users/s",
            "" if left is None else f"{timedelta(seconds=round(left))} left",
            " ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items())),
            f"tokens/s {(self.prompt - self.cached) / seconds:.0f} computed {self.generated / seconds:.0f} generated",
            f"{self.cached / self.prompt:.0%} of the prompts cached" if self.prompt else "",
            f"{self.earlier} users by an earlier run" if self.earlier else "",
        ]
        return ", ".join(part for part in parts if part)
