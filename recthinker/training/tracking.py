"""Stages of a retraining in MLflow. A stage is done when its files are: where MLflow is away, it is logged later."""

import logging
from dataclasses import asdict

from recthinker.errors import RegistryError
from recthinker.registry import Retrainings
from recthinker.settings import Settings
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import StageResult

logger = logging.getLogger(__name__)


def log_result(settings: Settings, plan: RetrainPlan, result: StageResult) -> None:
    """Log a stage that is done under the retraining's run; again changes nothing.

    An MLflow that does not take it is a warning: `register_challenger` logs all stages before it registers.
    """
    try:
        Retrainings(settings).log_stage(plan.mlflow_run, asdict(result))
    except RegistryError as error:
        logger.warning("stage not logged ds=%s run_id=%s stage=%s: %s", plan.ds, plan.run_id, result.stage, error)
