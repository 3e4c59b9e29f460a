"""What the label that was drawn as the answer earns, against what the model's labels earn on average.

Served is the order of the labels' probabilities; a rollout draws one label of them. The draw is a decision of its own:
its reward is the NDCG of the served order with the drawn label moved to the front. The average over the model's own
probabilities is known, so that no group is needed to compare with, and no other decision is blamed for the draw.
"""

import numpy as np

from recthinker.evaluation.metrics import ndcg
from recthinker.training.rollout import Rollout


def answer_advantage(rollout: Rollout, drawn: int, k: int) -> float:
    """NDCG@k with label `drawn` moved to the front, minus its mean over the labels' probabilities."""
    scores = np.array(rollout.scores)
    places = np.argsort(np.argsort(-scores, kind="stable"))
    # Moved to the front, a label that stood behind the target pushes it down by one.
    ranks = rollout.rank + (places > places[rollout.target])
    ranks[rollout.target] = 1
    gains = ndcg(ranks, k)
    probabilities = np.exp(scores - scores.max())
    return float(gains[drawn] - np.average(gains, weights=probabilities))
