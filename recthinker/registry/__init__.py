"""The home of MLflow: training runs, model versions and their aliases. MLflow itself is imported at the first
call.
"""

from recthinker.registry.reads import TableRead
from recthinker.registry.registry import Registry
from recthinker.registry.runs import Run
from recthinker.registry.versions import ModelVersion, require_model

__all__ = ["ModelVersion", "Registry", "Run", "TableRead", "require_model"]
