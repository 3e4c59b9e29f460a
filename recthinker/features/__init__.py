"""Feature tables and training cuts: pure DataFrame -> DataFrame functions, one table a file, and their build.

Everything sees the interactions through `known_before`. Candidates are in `recthinker.candidates`.
"""

from recthinker.features.build import Landing, Target, feature_tables, targets, write_features
from recthinker.features.cuts import Cut, Split, holdout_last, temporal
from recthinker.features.known import known_before

__all__ = [
    "Cut",
    "Landing",
    "Split",
    "Target",
    "feature_tables",
    "holdout_last",
    "known_before",
    "targets",
    "temporal",
    "write_features",
]
