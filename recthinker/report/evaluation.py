"""The offline evaluation logged with a model version (evaluation.json), checked. Nothing is computed here."""

import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from recthinker.errors import RegistryError


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Chance(_Part):
    """What a random order scores."""

    ndcg: float
    hr: float


class System(_Part):
    """One ranker, with 95 % bootstrap intervals over users."""

    name: str
    ndcg: float
    ndcg_low: float
    ndcg_high: float
    hr: float
    hr_low: float
    hr_high: float


class Paired(_Part):
    """NDCG of the agent minus that of another system, on the same users."""

    against: str
    difference: float
    low: float
    high: float


class Probe(_Part):
    """A check for leaks."""

    name: str
    value: float
    expectation: str


class Evaluation(_Part):
    """Several systems on the same users and the same candidates."""

    protocol: str
    users: int
    left_out: int
    """Users without an interaction to predict."""
    k: int
    """Cut-off of NDCG and HR."""
    chance: Chance
    systems: tuple[System, ...]
    paired: tuple[Paired, ...] = ()
    probes: tuple[Probe, ...] = ()
    command: str
    """What computes these figures again."""

    def ticks(self, metric: str) -> list[float]:
        """Tenths that span every system's interval of `metric` (ndcg or hr) and chance."""
        chance = getattr(self.chance, metric)
        left = min([chance, *(getattr(system, f"{metric}_low") for system in self.systems)])
        right = max([chance, *(getattr(system, f"{metric}_high") for system in self.systems)])
        return [tenth / 10 for tenth in range(math.floor(10 * left), math.floor(10 * right) + 2)]


def read_evaluation(logged: Mapping[str, Any] | None) -> Evaluation | None:
    """The evaluation, or None where none was logged.

    Raises:
        RegistryError: a figure is missing or no number.
    """
    if logged is None:
        return None
    try:
        return Evaluation.model_validate(logged)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise RegistryError(
            f"evaluation.json of the model should hold {key}, found: {fault['msg']}; "
            "run `python -m jobs.evaluate_model` again"
        ) from error
