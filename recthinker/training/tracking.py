"""A retraining in MLflow, told by its jobs. What they made is on disk by then: an MLflow that is away is a warning."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recthinker.errors import RegistryError
from recthinker.registry import Retrainings
from recthinker.settings import Settings
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import StageResult

logger = logging.getLogger(__name__)


def log_result(settings: Settings, plan: RetrainPlan, result: StageResult) -> str | None:
    """Log a stage that is done under the retraining's run; again changes nothing.

    Returns:
        The id of its MLflow run; None: not logged, and `register_challenger` will do it.
    """
    try:
        return Retrainings(settings).log_stage(plan.mlflow_run, asdict(result))
    except RegistryError as error:
        logger.warning("stage not logged ds=%s run_id=%s stage=%s: %s", plan.ds, plan.run_id, result.stage, error)
        return None


def log_episodes(settings: Settings, run_id: str | None, episodes: Sequence[Mapping[str, Any]]) -> None:
    """Show episodes of a stage turn by turn, as traces of its run.

    Args:
        run_id: as `log_result` gave it; None: nothing is shown.
        episodes: rows of `trajectories`, their maps as dicts.
    """
    if run_id is None:
        return
    try:
        Retrainings(settings).log_traces(run_id, episodes)
    except RegistryError as error:
        logger.warning("episodes not logged run=%s: %s", run_id, error)


def log_end(settings: Settings, plan: RetrainPlan, page: Path) -> None:
    """Keep the retraining's page with its run, and end the run."""
    try:
        Retrainings(settings).end(plan.mlflow_run, "FINISHED", page)
    except RegistryError as error:
        logger.warning("end not logged ds=%s run_id=%s: %s", plan.ds, plan.run_id, error)
