"""What the gate decided on a run's challenger (gate.json), checked, and its checks in words. Nothing is decided
here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from recthinker.errors import RegistryError
from recthinker.evaluation import Reason
from recthinker.registry import DECISION_FILE
from recthinker.report.rendering import signed


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Interval(_Part):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


class Check(_Part):
    """One thing that the gate looked at."""

    reason: Reason
    value: float
    bound: float
    is_met: bool
    text: str
    """What was found and what was asked, in a sentence."""

    @property
    def name(self) -> str:
        """What was measured."""
        return WORDS[self.reason].name

    @property
    def found(self) -> str:
        """The value as people write it."""
        return WORDS[self.reason].write(self.value)

    @property
    def asked(self) -> str:
        """The bound as people write it, and on which side of it to be."""
        words = WORDS[self.reason]
        return words.asked.format(words.write(self.bound))


class Decision(_Part):
    """What the gate decided, with all that it rests on."""

    challenger: str
    """`name/version`."""
    champion: str
    """The same; where no model serves yet, the name of what stands in its place."""
    is_promoted: bool
    checks: tuple[Check, ...]
    users: int
    ndcg: tuple[float, float]
    """Of challenger and champion."""
    calls: tuple[float, float]
    """An episode's, of challenger and champion."""
    difference: Interval
    """NDCG, challenger minus champion, paired by user."""
    calls_over_allowed: Interval
    """The challenger's calls minus what "clearly fewer" allows."""

    @property
    def has_champion(self) -> bool:
        """Whether a model served."""
        return "/" in self.champion

    @property
    def failed(self) -> tuple[Check, ...]:
        """Checks that are not met, the gravest first."""
        return tuple(check for check in self.checks if not check.is_met)

    @property
    def why(self) -> str:
        """The check that decided, in a sentence: the gravest that is not met, or the gain."""
        return (self.failed or self._gain)[0].text

    @property
    def margin(self) -> float:
        """NDCG: better is an interval above it, as good is one above minus it."""
        return abs(self._gain[0].bound)

    @property
    def _gain(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.reason is Reason.NOT_BETTER)


def read_decision(run_dir: Path) -> Decision | None:
    """The decision on the challenger of a run; None: the gate was not reached.

    Raises:
        RegistryError: it lacks something, or holds something else than was expected.
    """
    path = run_dir / DECISION_FILE
    if not path.is_file():
        return None
    try:
        return Decision.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise RegistryError(
            f"{path} should hold {key}, found: {fault['msg']}; run `python -m jobs.promote_model` again"
        ) from error


@dataclass(frozen=True, slots=True)
class _Words:
    """How a check is told."""

    name: str
    write: Callable[[float], str]
    asked: str
    """With {} in the place of the bound."""


def _gain(value: float) -> str:
    return signed(value, 4)


WORDS = {
    Reason.UNKNOWN_TARGETS: _Words("targets that it was trained on", lambda _: "not told", "told"),
    Reason.LEAKED_TARGETS: _Words("evaluated targets that it was trained on", "{:,.0f}".format, "at most {}"),
    Reason.KNOWS_BLIND: _Words("lead over popularity without any tool, NDCG, low end", _gain, "at most {}"),
    Reason.BLIND_GAIN: _Words("NDCG difference where no target is ranked first without any tool", _gain, "above {}"),
    Reason.COPIES_ORDER: _Words("correlation with the order shown, either way, low end", "{:.3f}".format, "at most {}"),
    Reason.TOO_FEW_USERS: _Words("users evaluated", "{:,.0f}".format, "at least {}"),
    Reason.AT_CHANCE: _Words("NDCG, low end of its interval", "{:.4f}".format, "above {}"),
    Reason.LESS_VALID: _Words("episodes with an answer of their own", "{:.2%}".format, "at least {}"),
    Reason.SLOWER: _Words("time for a user", lambda seconds: f"{1000 * seconds:.1f} ms", "at most {}"),
    Reason.SEGMENT_WORSE: _Words("NDCG difference in a protected group", _gain, "at least {}"),
    Reason.NOT_BETTER: _Words("NDCG difference, low end of its interval", _gain, "above {}"),
}
"""Every reason of the gate."""
