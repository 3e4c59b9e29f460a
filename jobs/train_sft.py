"""Fine-tune the base model on the selected rollouts.

Reads: retrain_plan.json of the run, its base model, <run_dir>/retrain/select/examples.parquet. Writes:
<run_dir>/retrain/sft/ (model/, result.json with the loss curve). Safe to run again: what is done is left alone, what
was cut off starts again.
Run: python -m jobs.train_sft --ds D --run-id R
"""

from jobs._cli import Job, Reporter, main, run_stage
from recthinker.settings import Settings
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import StageResult


def run(job: Job) -> str:
    """Fine-tune the base model on the selected rollouts."""

    def make(plan: RetrainPlan, settings: Settings) -> StageResult:
        from recthinker.training.stages import make_sft

        return make_sft(plan, settings, job.run_dir, Reporter())

    return run_stage(job, "sft", make)


if __name__ == "__main__":
    main("train_sft", run)
