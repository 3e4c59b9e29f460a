"""Which calls of rollouts were needless: from the lead at which, over all requests, going on did not pay.

Whether one rollout ranks its target as high with fewer calls says little of the calls: a target is one draw, and most
draws come out alike. Who learns from single draws calls too little, as what a call brings comes rarely and much at a
time. So what going on brought is judged among all rollouts whose answers were as sure: a step of policy iteration
(Howard, "Dynamic Programming and Markov Processes", 1960) on what the agent itself has drawn.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from recthinker.training.enough_leads import expected_ndcg, leads, least_lead
from recthinker.training.rollout import Rollout

FEWEST_REQUESTS = 100
"""Below, the best of so few sums is mostly luck, and says too often that going on did not pay."""


def enough_after(groups: Iterable[Sequence[Rollout]], call_price: float) -> dict[int, float]:
    """For each number of calls, the lead from which answering was worth more than going on, taken together; infinite
    where no lead was enough.

    Numbers of calls are missing after which rollouts of fewer than `FEWEST_REQUESTS` requests went on from where
    another one answered.

    Args:
        groups: rollouts of a request each. Those that ended badly count where they went on, or going on would look
            better than it is.
        call_price: NDCG@10 that a call has to bring.
    """
    seen: dict[int, list[list[tuple[float, float]]]] = defaultdict(list)
    for group in groups:
        of_request: dict[int, list[tuple[float, float]]] = defaultdict(list)
        for short in group:
            gone_on = [one for one in group if one.is_scored and goes_on(one, short)]
            if short.ended_well and gone_on:
                worth = np.mean([_worth(one) - call_price * (one.calls - short.calls) for one in gone_on])
                of_request[short.calls].append((_lead(short), _worth(short) - float(worth)))
        for calls, pairs in of_request.items():
            seen[calls].append(pairs)
    told = {calls: requests for calls, requests in sorted(seen.items()) if len(requests) >= FEWEST_REQUESTS}
    return {calls: least_lead(*np.concatenate(requests).T) for calls, requests in told.items()}


def without_needless_calls(group: Sequence[Rollout], enough: Mapping[int, float]) -> list[Rollout]:
    """Without those that went on from where another one answered with a lead that is enough."""

    def is_needless(rollout: Rollout) -> bool:
        return any(_lead(short) >= enough.get(short.calls, math.inf) for short in group if goes_on(rollout, short))

    return [rollout for rollout in group if not is_needless(rollout)]


def without_hasty_answers(group: Sequence[Rollout], enough: Mapping[int, float]) -> list[Rollout]:
    """Without those that answered with a lead that is not enough, where another one went on from there."""

    def is_hasty(rollout: Rollout) -> bool:
        return _lead(rollout) < enough.get(rollout.calls, -math.inf) and any(goes_on(one, rollout) for one in group)

    return [rollout for rollout in group if not is_hasty(rollout)]


def goes_on(longer: Rollout, short: Rollout) -> bool:
    """Whether it made the same calls, was told the same by them, and then called more. How it thought may differ."""
    if longer.calls <= short.calls or longer.plan[: short.calls] != short.plan:
        return False
    told = _told(short, before=_last_turn(short))
    return _told(longer)[: len(told)] == told


def _told(rollout: Rollout, before: int | None = None) -> list[int]:
    """The tokens that the agent read and did not write, prompt and results."""
    return [id_ for id_, written in zip(rollout.ids[:before], rollout.mask, strict=False) if not written]


def _last_turn(rollout: Rollout) -> int:
    """Place of the first token of the turn that answers."""
    place = rollout.answer_at
    while place and not rollout.mask[place - 1]:
        place -= 1
    while place and rollout.mask[place - 1]:
        place -= 1
    return place


def _lead(rollout: Rollout) -> float:
    """Of its best label over the second, nats."""
    return float(leads(np.array([rollout.scores]))[0])


def _worth(rollout: Rollout) -> float:
    """NDCG@10 of its answer, 0 without one."""
    if not rollout.scores:
        return 0.0
    return float(expected_ndcg(np.array([rollout.scores]), np.array([rollout.target]))[0])
