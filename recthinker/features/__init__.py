"""Feature tables and training cuts: pure DataFrame -> DataFrame functions, one table a file, and their build.

Everything sees the interactions through `known`. Candidates are in `recthinker.candidates`.
"""

from recthinker.features.build import build_features, build_planned
from recthinker.features.cut_build import build_cut, split_of
from recthinker.features.cuts import Cut, Split, holdout_last, temporal
from recthinker.features.known import known_before
from recthinker.features.landing import Landing, known_interactions
from recthinker.features.plan import plan_features

__all__ = [
    "Cut",
    "Landing",
    "Split",
    "build_cut",
    "build_features",
    "build_planned",
    "holdout_last",
    "known_before",
    "known_interactions",
    "plan_features",
    "split_of",
    "temporal",
]
