"""Simple systems on the same candidates. Each gives scores, (U, N), higher is better; one system a file.

`train`, (V, I), holds who has what in the cut, of all its users; `known`, (U, I), what each evaluated user has before
the target: the same where the cut takes one event away, more where it takes away all events after a date.
"""

from recthinker.evaluation.baselines.als import als_scores
from recthinker.evaluation.baselines.ease import ease_scores
from recthinker.evaluation.baselines.fusion import fusion_scores
from recthinker.evaluation.baselines.histories import history_matrix
from recthinker.evaluation.baselines.itemknn import itemknn_scores
from recthinker.evaluation.baselines.panel import FUSION, Panel, run_baselines
from recthinker.evaluation.baselines.popularity import popularity_scores
from recthinker.evaluation.baselines.random_order import random_scores

__all__ = [
    "FUSION",
    "Panel",
    "als_scores",
    "ease_scores",
    "fusion_scores",
    "history_matrix",
    "itemknn_scores",
    "popularity_scores",
    "random_scores",
    "run_baselines",
]
