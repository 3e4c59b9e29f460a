"""How good a ranking is: requests with a known answer, metrics, baselines, significance, probes for leaks, and the gate
that a new model must pass. Numpy, scipy, pyarrow only.
"""

from recthinker.evaluation.comparison import compare, compare_segments
from recthinker.evaluation.gate import Check, Decision, Reason, decide
from recthinker.evaluation.held_out import CutRows, HeldOutUser, held_out_users, requests
from recthinker.evaluation.kept import keep_evaluation, kept_figures, kept_users
from recthinker.evaluation.per_user import UserFigures
from recthinker.evaluation.probes import Finding
from recthinker.evaluation.protocols import Protocol
from recthinker.evaluation.segments import Segment, segments
from recthinker.evaluation.significance import Interval, bootstrap_mean
from recthinker.evaluation.targets import read_targets, target_hashes, write_targets

__all__ = [
    "Check",
    "CutRows",
    "Decision",
    "Finding",
    "HeldOutUser",
    "Interval",
    "Protocol",
    "Reason",
    "Segment",
    "UserFigures",
    "bootstrap_mean",
    "compare",
    "compare_segments",
    "decide",
    "held_out_users",
    "keep_evaluation",
    "kept_figures",
    "kept_users",
    "read_targets",
    "requests",
    "segments",
    "target_hashes",
    "write_targets",
]
