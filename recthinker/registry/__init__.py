"""The home of MLflow: training runs, model versions and their aliases. MLflow itself is imported at the first
call.
"""

from recthinker.registry.reads import TableRead
from recthinker.registry.registry import DECISION_FILE, EVALUATION_FILE, TEMPORAL_FILE, Registry
from recthinker.registry.retraining import Retrainings
from recthinker.registry.runs import Run
from recthinker.registry.versions import ModelVersion, require_model

__all__ = [
    "DECISION_FILE",
    "EVALUATION_FILE",
    "TEMPORAL_FILE",
    "ModelVersion",
    "Registry",
    "Retrainings",
    "Run",
    "TableRead",
    "require_model",
]
