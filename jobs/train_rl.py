"""Train the SFT model on with reinforcement learning.

Reads: retrain_plan.json of the run, its SFT model, the training cut of D. Writes: <run_dir>/retrain/rl/ (model/,
result.json with all curves; checkpoints/ until it is done). Safe to run again: what is done is left alone, and what was
cut off goes on from its last checkpoint (`rl.save_every`).
Run: python -m jobs.train_rl --ds D --run-id R
"""

import os

from jobs._cli import Job, Reporter, main
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import why_not

STAGE = "rl"


def run(job: Job) -> str:
    """Train the SFT model on with reinforcement learning."""
    plan = RetrainPlan.read(job.run_dir)
    if why := why_not(plan, job.run_dir, STAGE):
        return why
    settings = plan.apply(job.settings)
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.training.threads))
    # Imported here: torch and TRL take ten seconds, which a stage that is done should not pay.
    from recthinker.training.stages import make_rl
    from recthinker.training.tracking import log_result

    result = make_rl(plan, settings, job.run_dir, Reporter("NDCG"))
    log_result(settings, plan, result)
    return result.summary


if __name__ == "__main__":
    main("train_rl", run)
