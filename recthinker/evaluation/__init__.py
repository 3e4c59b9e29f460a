"""How good a ranking is: requests with a known answer, metrics, baselines, significance. Numpy, scipy, pyarrow only."""

from recthinker.evaluation.comparison import compare
from recthinker.evaluation.held_out import CutRows, HeldOutUser, held_out_users, requests
from recthinker.evaluation.significance import Interval, bootstrap_mean

__all__ = ["CutRows", "HeldOutUser", "Interval", "bootstrap_mean", "compare", "held_out_users", "requests"]
