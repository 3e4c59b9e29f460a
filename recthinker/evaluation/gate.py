"""The promotion gate: may a challenger take the champion's place? A pure function of what both did for each user.

It is promoted when it is better, or as good with clearly fewer calls, and nothing that is protected got worse. In every
other case it is refused, each time with what was measured and what was asked.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from recthinker.errors import ConfigError
from recthinker.evaluation.per_user import UserFigures
from recthinker.evaluation.probes import follows_order, knows_blind
from recthinker.evaluation.significance import Interval, bootstrap_mean
from recthinker.evaluation.targets import target_hashes
from recthinker.settings import EvaluationSettings, GateSettings


class Reason(StrEnum):
    """Why a challenger is refused."""

    UNKNOWN_TARGETS = "unknown_targets"
    """It does not tell which targets it was trained on."""
    LEAKED_TARGETS = "leaked_targets"
    """Targets of the evaluation were among those of its training."""
    KNOWS_BLIND = "knows_blind"
    """Without any tool it ranks better than anything that has not seen the targets could."""
    BLIND_GAIN = "blind_gain"
    """What it gains is on users whose target is ranked first without any tool: it has seen theirs."""
    COPIES_ORDER = "copies_order"
    """It ranks by the order in which the candidates were shown, as it is or turned around."""
    TOO_FEW_USERS = "too_few_users"
    """Too few users to tell what follows."""
    AT_CHANCE = "at_chance"
    """It is not clearly better than a random order."""
    LESS_VALID = "less_valid"
    """It more often gives no answer of its own."""
    SLOWER = "slower"
    """It takes longer for a user."""
    SEGMENT_WORSE = "segment_worse"
    """A protected group of users is served worse."""
    NOT_BETTER = "not_better"
    """It is neither clearly better, nor as good with clearly fewer calls."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    reason: Reason
    """Why a challenger that fails it is refused."""
    value: float
    bound: float
    is_met: bool
    text: str
    """What was found and what was asked, in a sentence."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate decided, with all that it rests on."""

    is_promoted: bool
    headline: str
    """The decision in one sentence."""
    checks: tuple[Check, ...]
    users: int
    ndcg: tuple[float, float]
    """Of challenger and champion."""
    calls: tuple[float, float]
    """An episode's, of challenger and champion."""
    difference: Interval
    """NDCG, challenger minus champion, paired by user, with its 95 % interval."""
    calls_over_allowed: Interval
    """The challenger's calls minus what `fewer_calls_share` allows of the champion's, paired by user."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it is refused, the gravest first, each once; empty where it is promoted."""
        return tuple(dict.fromkeys(check.reason for check in self.checks if not check.is_met))

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self) | {
            "difference": self.difference._asdict(),
            "calls_over_allowed": self.calls_over_allowed._asdict(),
            "reasons": list(self.reasons),
        }


def decide(
    challenger: UserFigures,
    champion: UserFigures,
    gate: GateSettings,
    evaluation: EvaluationSettings,
    *,
    trained_on: np.ndarray | None,
) -> Decision:
    """Whether the challenger may serve in the champion's place.

    Args:
        challenger: its figures; `champion` those of the model that serves, on the same requests.
        gate: what is asked.
        evaluation: draws and seed of the intervals.
        trained_on: hashes of the challenger's training targets (`target_hashes`); None where it does not tell.

    Raises:
        ConfigError: the two were measured on other requests.
    """
    if challenger.requests != champion.requests:
        raise ConfigError(
            f"challenger and champion should be measured on the same requests, found {challenger.requests} and "
            f"{champion.requests}; evaluate both with the same settings, tables and protocol"
        )
    difference = _mean(challenger.ndcg - champion.ndcg, evaluation)
    over = _mean(challenger.calls - (1 - gate.fewer_calls_share) * champion.calls, evaluation)
    gain = _gain(difference, over, gate)
    checks = (
        _targets(challenger, trained_on),
        _blind(challenger, gate, evaluation),
        *_gain_elsewhere(challenger, champion, gain),
        _order(challenger, gate, evaluation),
        _enough_users(challenger, gate),
        _chance(challenger, evaluation),
        _validity(challenger, champion, gate),
        _latency(challenger, champion, gate),
        *_segments(challenger, champion, gate),
        gain,
    )
    failed = [check for check in checks if not check.is_met]
    return Decision(
        is_promoted=not failed,
        headline=f"promoted: {gain.text}" if not failed else f"refused ({failed[0].reason}): {failed[0].text}",
        checks=checks,
        users=len(challenger.users),
        ndcg=(float(challenger.ndcg.mean()), float(champion.ndcg.mean())),
        calls=(float(challenger.calls.mean()), float(champion.calls.mean())),
        difference=difference,
        calls_over_allowed=over,
    )


def _gain(difference: Interval, over: Interval, gate: GateSettings) -> Check:
    """Better: the whole interval lies above the margin. As good: it lies above minus the margin, and the interval of
    the calls below what is allowed.
    """
    found = f"NDCG differs by {_written(difference)}"
    saved = f"calls against the {1 - gate.fewer_calls_share:.0%} allowed: {_written(over)}"
    if difference.low > gate.margin:
        return Check(Reason.NOT_BETTER, difference.low, gate.margin, True, f"{found}, all of it above {gate.margin:g}")
    if difference.low > -gate.margin and over.high < 0:
        text = f"{found}, all of it above {-gate.margin:g}, and it makes clearly fewer calls ({saved})"
        return Check(Reason.NOT_BETTER, difference.low, -gate.margin, True, text)
    asked = f"an interval above {gate.margin:g}, or above {-gate.margin:g} with clearly fewer calls ({saved})"
    return Check(Reason.NOT_BETTER, difference.low, gate.margin, False, f"{found}; asked is {asked}")


def _written(interval: Interval) -> str:
    return f"{interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"


def _targets(challenger: UserFigures, trained_on: np.ndarray | None) -> Check:
    if trained_on is None:
        text = "the challenger should tell its training targets (training_targets.npy beside its weights), found none"
        return Check(Reason.UNKNOWN_TARGETS, 0.0, 0.0, False, text)
    evaluated = target_hashes(challenger.users, challenger.targets)
    shared = len(np.intersect1d(evaluated, trained_on))
    text = f"{shared} of the {len(evaluated)} targets were targets in the challenger's training; none may be"
    return Check(Reason.LEAKED_TARGETS, float(shared), 0.0, shared == 0, text)


def _blind(challenger: UserFigures, gate: GateSettings, evaluation: EvaluationSettings) -> Check:
    found = knows_blind(challenger.blind_ndcg, challenger.popularity_ndcg, evaluation, bound=gate.max_blind_lead)
    text = f"without any tool it leads popularity by {found.value:+.4f} NDCG; {found.expectation}"
    return Check(Reason.KNOWS_BLIND, found.evidence, found.bound, not found.is_alarm, text)


def _gain_elsewhere(challenger: UserFigures, champion: UserFigures, gain: Check) -> list[Check]:
    """Where there is a gain, its mean has to hold without the users whose target either model ranks first without any
    tool: a few targets learned by heart are too few to lead popularity, but all of their gain is on those users.
    """
    others = (challenger.blind_ndcg < 1) & (champion.blind_ndcg < 1)
    if not gain.is_met or not others.any():
        return []
    found = float((challenger.ndcg - champion.ndcg)[others].mean())
    text = (
        f"on the {int(others.sum())} users whose target neither ranks first without any tool NDCG differs by "
        f"{found:+.4f}; asked is above {gain.bound:g}, as on all users"
    )
    return [Check(Reason.BLIND_GAIN, found, gain.bound, found > gain.bound, text)]


def _order(challenger: UserFigures, gate: GateSettings, evaluation: EvaluationSettings) -> Check:
    found = follows_order(challenger.order_correlation, evaluation, bound=gate.max_order_correlation)
    text = f"its ranks correlate with the order shown by {found.value:+.3f}; {found.expectation}"
    return Check(Reason.COPIES_ORDER, found.evidence, found.bound, not found.is_alarm, text)


def _chance(challenger: UserFigures, evaluation: EvaluationSettings) -> Check:
    found = _mean(challenger.ndcg, evaluation)
    bounds = f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]"
    text = f"its NDCG is {bounds}, that of a random order {challenger.chance:.4f}"
    return Check(Reason.AT_CHANCE, found.low, challenger.chance, found.low > challenger.chance, text)


def _enough_users(challenger: UserFigures, gate: GateSettings) -> Check:
    users = len(challenger.users)
    text = f"{users} users were evaluated, asked are {gate.min_users}"
    return Check(Reason.TOO_FEW_USERS, float(users), float(gate.min_users), users >= gate.min_users, text)


def _validity(challenger: UserFigures, champion: UserFigures, gate: GateSettings) -> Check:
    new, old = float(challenger.ranked.mean()), float(champion.ranked.mean())
    bound = old - gate.max_validity_loss
    text = f"{new:.2%} of its episodes end in an answer of its own, the champion's {old:.2%}; asked are {bound:.2%}"
    return Check(Reason.LESS_VALID, new, bound, new >= bound, text)


def _latency(challenger: UserFigures, champion: UserFigures, gate: GateSettings) -> Check:
    new, old = challenger.seconds_per_user, champion.seconds_per_user
    bound = old * gate.max_latency_ratio
    text = f"a user takes {1000 * new:.1f} ms, the champion's {1000 * old:.1f}; allowed are {1000 * bound:.1f}"
    return Check(Reason.SLOWER, new, bound, new <= bound, text)


def _segments(challenger: UserFigures, champion: UserFigures, gate: GateSettings) -> list[Check]:
    """A segment's mean is held to its bound, not its interval: the fewer the users, the wider that is, and the more a
    real loss could hide in it.
    """
    checks = []
    for part in challenger.segments:
        if part.name in gate.protected_segments:
            loss = float((challenger.ndcg - champion.ndcg)[part.members].mean())
            users = int(part.members.sum())
            text = f"{part.name} ({users} users): NDCG differs by {loss:+.4f}, allowed is {-gate.max_segment_loss:g}"
            checks.append(
                Check(Reason.SEGMENT_WORSE, loss, -gate.max_segment_loss, loss >= -gate.max_segment_loss, text)
            )
    return checks


def _mean(values: np.ndarray, evaluation: EvaluationSettings) -> Interval:
    return bootstrap_mean(values, draws=evaluation.bootstrap_draws, seed=evaluation.seed)
