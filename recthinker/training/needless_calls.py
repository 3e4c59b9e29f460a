"""Which calls of rollouts were needless: from the lead at which, over all requests, going on did not pay.

Whether one rollout ranks its target as high with fewer calls says little of the calls: a target is one draw, and most
draws come out alike. Who learns from single draws calls too little, as what a call brings comes rarely and much at a
time. So what going on brought is judged among all rollouts whose answers were as sure: a step of policy iteration
(Howard, "Dynamic Programming and Markov Processes", 1960) on what the agent itself has drawn.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from recthinker.training.enough_leads import expected_ndcg, leads, least_lead
from recthinker.training.rollout import Rollout


def leads_to_stop_at(groups: Iterable[Sequence[Rollout]], price: float) -> dict[int, float]:
    """For each number of calls, the lead from which answering was worth more than going on; infinite where none was.

    Numbers of calls after which nobody went on from where another rollout of the request answered are missing.

    Args:
        groups: rollouts with an answer, those of a request together.
        price: NDCG@10 that a call has to bring.
    """
    seen: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for group in groups:
        for short, longer in _that_went_on(group):
            gone_on = np.mean([_worth(one) - price * (one.calls - short.calls) for one in longer])
            seen[short.calls].append((lead(short), _worth(short) - float(gone_on)))
    return {calls: least_lead(*np.array(of).T) for calls, of in sorted(seen.items())}


def without_needless_calls(group: Sequence[Rollout], enough: Mapping[int, float]) -> list[Rollout]:
    """Without those that went on from where another one answered with a lead that is enough."""
    return [one for one in group if not any(is_enough(short, enough) for short in group if goes_on(one, short))]


def without_hasty_answers(group: Sequence[Rollout], enough: Mapping[int, float]) -> list[Rollout]:
    """Without those that answered with a lead that is not enough, where another one went on from there."""
    went_on = {id(short) for short, _ in _that_went_on(group)}
    return [one for one in group if id(one) not in went_on or is_enough(one, enough)]


def is_enough(rollout: Rollout, enough: Mapping[int, float]) -> bool:
    """Whether it answered with a lead that is enough after its calls."""
    return lead(rollout) >= enough[rollout.calls]


def goes_on(longer: Rollout, short: Rollout) -> bool:
    """Whether it is the same up to the turn in which the other one answered, and called more from there."""
    before = _last_turn(short)
    return longer.calls > short.calls and longer.ids[:before] == short.ids[:before]


def lead(rollout: Rollout) -> float:
    """Of its best label over the second, nats."""
    return float(leads(np.array([rollout.scores]))[0])


def _that_went_on(group: Sequence[Rollout]) -> Iterator[tuple[Rollout, list[Rollout]]]:
    """Each rollout with those that went on from where it answered, where there are any."""
    for short in group:
        if longer := [one for one in group if goes_on(one, short)]:
            yield short, longer


def _last_turn(rollout: Rollout) -> int:
    """Place of the first token of the turn that answers."""
    place = rollout.answer_at
    while place and not rollout.mask[place - 1]:
        place -= 1
    while place and rollout.mask[place - 1]:
        place -= 1
    return place


def _worth(rollout: Rollout) -> float:
    return float(expected_ndcg(np.array([rollout.scores]), np.array([rollout.target]))[0])
