"""Fine-tune the base model on the selected rollouts.

Reads: retrain_plan.json of the run, its base model, <run_dir>/retrain/select/examples.parquet. Writes:
<run_dir>/retrain/sft/ (model/, result.json with the loss curve). Safe to run again: what is done is left alone, what
was cut off starts again.
Run: python -m jobs.train_sft --ds D --run-id R
"""

import os

from jobs._cli import Job, Reporter, main
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import why_not

STAGE = "sft"


def run(job: Job) -> str:
    """Fine-tune the base model on the selected rollouts."""
    plan = RetrainPlan.read(job.run_dir)
    if why := why_not(plan, job.run_dir, STAGE):
        return why
    settings = plan.apply(job.settings)
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.training.threads))
    # Imported here: torch and TRL take ten seconds, which a stage that is done should not pay.
    from recthinker.training.stages import make_sft
    from recthinker.training.tracking import log_result

    result = make_sft(plan, settings, job.run_dir, Reporter())
    log_result(settings, plan, result)
    return result.summary


if __name__ == "__main__":
    main("train_sft", run)
