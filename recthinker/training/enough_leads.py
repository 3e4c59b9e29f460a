"""When the scripted planner has read enough: how far ahead the best candidate must be, fitted on real choices.

A further call is worth its price where those whose best candidate leads by as little rank better by it. Found by
backward induction from the last call of the plan (Bellman, "Dynamic Programming", 1957), with the lead as the state.
"""

from collections.abc import Sequence

import numpy as np

from recthinker.evaluation.metrics import ndcg, target_ranks

K = 10
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
    values = [ndcg(target_ranks(of, chosen), K) for of in scores]
    going_on = values[-1] if values else np.empty(0)
    found: list[float] = []
    for of, stopping in zip(reversed(scores[:-1]), reversed(values[:-1]), strict=True):
        going_on = going_on - price
        lead = leads(of).round(DIGITS)
        enough = _least_lead(lead, stopping - going_on)
        going_on = np.where(lead >= enough, stopping, going_on)
        found.append(enough)
    return found[::-1]


def leads(scores: np.ndarray) -> np.ndarray:
    """Of the best candidate over the second, (R,)."""
    ordered = np.sort(scores, axis=1)
    lead: np.ndarray = ordered[:, -1] - ordered[:, -2]
    return lead


def _least_lead(lead: np.ndarray, gain: np.ndarray) -> float:
    """The lead from which on all gains together are the largest; infinite where they are never above 0."""
    steps, place = np.unique(-lead, return_inverse=True)
    together = np.cumsum(np.bincount(place, gain))
    best = int(together.argmax())
    return float(-steps[best] - HAIR) if together[best] > 0 else float("inf")
