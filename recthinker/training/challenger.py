"""The model of a retraining as a version that waits at the gate."""

from dataclasses import asdict
from pathlib import Path

from recthinker.errors import ConfigError, TrainingError
from recthinker.evaluation import read_targets
from recthinker.evaluation.targets import TARGETS_FILE
from recthinker.registry import ModelVersion, Registry, Retrainings
from recthinker.registry.versions import version_of_folder
from recthinker.settings import Settings
from recthinker.training.card import model_card
from recthinker.training.retrain_plan import STAGES, TRAINED, RetrainPlan
from recthinker.training.stage import StageResult, read_result, require_model_of


def register_challenger(settings: Settings, plan: RetrainPlan, run_dir: Path) -> ModelVersion:
    """The version of the last trained stage's model, under the challenger's alias; registered once, whatever came
    between. All stages are logged with it.

    Raises:
        ConfigError: no stage of the plan trains a model that may serve, or the last one is not done.
        TrainingError: the model does not tell its training targets.
        RegistryError: its files are no model, or MLflow does not take it.
    """
    folder = _model(plan, run_dir)
    results = done(run_dir)
    retrainings, registry = Retrainings(settings), Registry(settings)
    for result in results:
        retrainings.log_stage(plan.mlflow_run, asdict(result))
    return registry.register(
        folder,
        plan.mlflow_run,
        tags={
            "ds": plan.ds,
            "run_id": plan.run_id,
            "stages": ", ".join(result.stage for result in results),
            "retraining": plan.mlflow_run,
            "started_from": plan.champion or "none",
        },
        card=model_card(settings.model.name, plan, results),
        # By its weights too: a stage that ran again made another model.
        key=f"{plan.mlflow_run}-{version_of_folder(folder).version}",
        alias=settings.gate.challenger,
    )


def done(run_dir: Path) -> list[StageResult]:
    """The results of the stages that are done, in order."""
    return [result for stage in STAGES if (result := read_result(run_dir, stage)) is not None]


def _model(plan: RetrainPlan, run_dir: Path) -> Path:
    trained = [stage for stage in TRAINED if stage in plan.stages]
    if not trained:
        raise ConfigError(
            f"stages {', '.join(plan.stages)} train no model that may serve; plan a run with {' or '.join(TRAINED)}"
        )
    folder = require_model_of(run_dir, trained[-1])
    if read_targets(folder) is None:
        raise TrainingError(
            f"the model of stage {trained[-1]} should tell its training targets, but {folder / TARGETS_FILE} is "
            "missing, and the gate would refuse it; run the stage again with a trainer that writes them "
            "(recthinker.evaluation.write_targets)"
        )
    return folder
