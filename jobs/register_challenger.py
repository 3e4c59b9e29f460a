"""Register the model of a retraining as a version that waits at the gate.

Reads the plan and the results of the stages in <run_dir>/retrain. Writes a version of the registered model with its
signature and card, under the alias `gate.challenger`; logs every stage to MLflow where that was not done yet. Safe to
run again: a model that this run registered is not registered twice.
`python -m jobs.register_challenger --ds D --run-id R`
"""

from jobs._cli import Job, main
from recthinker.training.challenger import register_challenger
from recthinker.training.retrain_plan import RetrainPlan


def run(job: Job) -> str:
    """Register the model of a retraining as a version that waits at the gate."""
    plan = RetrainPlan.read(job.run_dir)
    version = register_challenger(plan.apply(job.settings), plan, job.run_dir)
    return f"{version} waits as {job.settings.gate.challenger}, MLflow run {plan.mlflow_run}"


if __name__ == "__main__":
    main("register_challenger", run)
