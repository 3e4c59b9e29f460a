"""When the scripted planner has read enough: how far ahead the best candidate must be, fitted on real choices.

A further call is worth its price where those whose best candidate leads by as little rank better by it. Found by
backward induction from the last call of the plan (Bellman, "Dynamic Programming", 1957), with the lead as the state. It
is not all of the state: who reaches a call hangs on the leads before it, so the induction is run again among those who
do.
"""

from collections.abc import Sequence

import numpy as np

from recthinker.evaluation.metrics import ndcg

K = 10
PASSES = 3
DIGITS = 4
"""Of a lead, as of the logits that it is a difference of."""
HAIR = 0.5 * 10**-DIGITS
"""So that a lead that is the least one is so whatever was added to all candidates."""


def enough_leads(scores: Sequence[np.ndarray], chosen: np.ndarray, price: float) -> list[float]:
    """For each call of a plan but the last, the lead from which an answer is worth more than going on; infinite where
    it never is.

    Args:
        scores: after each call, logits of the candidates, (R, N) each; -inf where none is shown.
        chosen: the target's place, (R,).
        price: NDCG@`K` that a call has to bring.
    """
    values = [expected_ndcg(of, chosen) for of in scores]
    lead = [leads(of).round(DIGITS) for of in scores[:-1]]
    enough = [np.inf] * len(lead)
    for _ in range(PASSES):
        going_on = values[-1] if values else np.empty(0)
        for place in reversed(range(len(lead))):
            going_on = going_on - price
            is_there = np.all([lead[before] < enough[before] for before in range(place)], axis=0)
            gain = np.where(is_there, values[place] - going_on, 0.0)
            enough[place] = least_lead(lead[place], gain)
            going_on = np.where(lead[place] >= enough[place], values[place], going_on)
    return enough


def expected_ndcg(scores: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """NDCG@`K` where equal scores are put in any order, the mean over the orders, (R,).

    The rank in their middle, as evaluation counts it, would make a call look worth something that only parts equals.
    """
    own = scores[np.arange(len(scores)), chosen][:, None]
    above, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    gains = np.append(0.0, np.cumsum(ndcg(np.arange(1, scores.shape[1] + 1), K)))
    mean: np.ndarray = (gains[above + equal] - gains[above]) / equal
    return mean


def leads(scores: np.ndarray) -> np.ndarray:
    """Of the best candidate over the second, (R,)."""
    ordered = np.sort(scores, axis=1)
    lead: np.ndarray = ordered[:, -1] - ordered[:, -2]
    return lead


def least_lead(lead: np.ndarray, gain: np.ndarray) -> float:
    """The lead from which on all gains together are the largest; infinite where they are never above 0.

    Args:
        lead: (R,).
        gain: what stopping is worth above going on, (R,).
    """
    steps, place = np.unique(-lead, return_inverse=True)
    together = np.cumsum(np.bincount(place, gain))
    best = int(together.argmax())
    return float(-steps[best] - HAIR) if together[best] > 0 else float("inf")
