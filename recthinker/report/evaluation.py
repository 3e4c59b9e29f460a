"""The offline evaluation logged with a model version (evaluation.json), checked. Nothing is computed here."""

import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from recthinker.errors import RegistryError
from recthinker.report.adaptivity import Adaptivity, CallPoint, FurtherCalls
from recthinker.report.part import Part


class Chance(Part):
    """What a random order scores."""

    ndcg: float
    hr: float
    mrr: float | None = None
    """None in an evaluation that did not measure it, here and below."""


class System(Part):
    """One ranker, with 95 % bootstrap intervals over users."""

    name: str
    ndcg: float
    ndcg_low: float
    ndcg_high: float
    hr: float
    hr_low: float
    hr_high: float
    mrr: float | None = None
    mrr_low: float | None = None
    mrr_high: float | None = None


class Paired(Part):
    """NDCG of the agent minus that of another system, on the same users."""

    against: str
    difference: float
    low: float
    high: float


class Probe(Part):
    """A check for leaks."""

    name: str
    value: float
    expectation: str
    is_alarm: bool = False


class SegmentSystem(Part):
    """One ranker in a segment."""

    name: str
    ndcg: float


class Segment(Part):
    """A group of the users."""

    name: str
    rule: str
    users: int
    systems: tuple[SegmentSystem, ...]
    paired: tuple[Paired, ...]


class Order(Part):
    """The agent in one order of the candidates."""

    ndcg: float
    low: float
    high: float


class Shuffles(Part):
    """How much the agent depends on the order in which candidates are shown."""

    orders: tuple[Order, ...]
    user_sd: float
    """Mean over users of the standard deviation of their NDCG over the orders."""
    users_moved: float
    """Share of the users whose NDCG is not the same in all orders."""
    order_correlation: float
    """Of rank with shown position."""


class Ablation(Part):
    """The agent with less to read."""

    name: str
    ndcg: float
    calls: float
    lead: Paired
    """The whole agent minus this one."""


class Evaluation(Part):
    """Several systems on the same users and the same candidates."""

    protocol: str
    users: int
    left_out: int
    """Users without a request."""
    left_out_by: dict[str, int] = Field(default_factory=dict)
    """The same by the reason."""
    k: int
    """Cut-off of NDCG and HR."""
    chance: Chance
    systems: tuple[System, ...]
    paired: tuple[Paired, ...] = ()
    probes: tuple[Probe, ...] = ()
    segments: tuple[Segment, ...] = ()
    shuffles: Shuffles | None = None
    ablations: tuple[Ablation, ...] = ()
    adaptivity: Adaptivity | None = None
    call_curve: tuple[CallPoint, ...] = ()
    """Fewest calls first, the whole agent last."""
    further_calls: tuple[FurtherCalls, ...] = ()
    not_run: dict[str, str] = Field(default_factory=dict)
    """Systems that were left out, and why."""
    command: str
    """What computes these figures again."""
    requests: str | None = None
    """Fingerprint of the requests that all systems were measured on."""

    temporal: "Evaluation | None" = None
    """The same model by the temporal protocol, where that was measured too."""

    @property
    def best_other(self) -> str:
        """The system of highest NDCG besides the agent."""
        return max((one for one in self.systems if one.name != "agent"), key=lambda one: one.ndcg).name

    def ticks(self, metric: str) -> list[float]:
        """Tenths that span every system's interval of `metric` (ndcg or hr) and chance."""
        chance = getattr(self.chance, metric)
        left = min([chance, *(getattr(system, f"{metric}_low") for system in self.systems)])
        right = max([chance, *(getattr(system, f"{metric}_high") for system in self.systems)])
        return _tenths(left, right)

    @property
    def curve_ticks(self) -> list[float]:
        """Tenths that span every interval of the curve and chance."""
        lows, highs = ([getattr(point, end) for point in self.call_curve] for end in ("low", "high"))
        return _tenths(min([self.chance.ndcg, *lows]), max([self.chance.ndcg, *highs]))


def _tenths(left: float, right: float) -> list[float]:
    return [tenth / 10 for tenth in range(math.floor(10 * left), math.floor(10 * right) + 2)]


def read_evaluation(logged: Mapping[str, Any] | None, temporal: Mapping[str, Any] | None = None) -> Evaluation | None:
    """The evaluation, with that by the temporal protocol in it; None where none was logged.

    Raises:
        RegistryError: a figure is missing or no number.
    """
    if logged is None:
        return None
    try:
        return Evaluation.model_validate({**logged, "temporal": temporal})
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise RegistryError(
            f"evaluation.json of the model should hold {key}, found: {fault['msg']}; "
            "run `python -m jobs.evaluate_model` again"
        ) from error
