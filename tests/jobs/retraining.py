"""The jobs of a retraining by their arguments, and what they wrote."""

from pathlib import Path

from jobs import plan_retrain, register_challenger
from jobs._cli import run_job
from recthinker.training.retrain_plan import RetrainPlan
from tests.training.blank_retraining import DS, RUN_ID


def plan(*arguments: str, run_id: str = RUN_ID, ds: str = DS) -> int:
    """The exit code of plan_retrain."""
    argv = ["--ds", ds, "--run-id", run_id, *arguments]
    return run_job("plan_retrain", plan_retrain.run, plan_retrain.add_arguments, argv)


def challenge(run_id: str = RUN_ID) -> int:
    """The exit code of register_challenger."""
    return run_job("register_challenger", register_challenger.run, argv=["--ds", DS, "--run-id", run_id])


def run_dir(var: Path, run_id: str = RUN_ID) -> Path:
    return var / "runs" / DS / run_id


def written(var: Path, run_id: str = RUN_ID) -> RetrainPlan:
    return RetrainPlan.read(run_dir(var, run_id))
