"""Make the base model that SFT starts from, or find the one that is kept.

Reads: retrain_plan.json of the run, the training cut of D. Writes: <models>/base-<fingerprint>/ where there is none for
these settings and this data yet, <run_dir>/retrain/base/. Safe to run again: what is done is left alone.
Run: python -m jobs.train_base --ds D --run-id R
"""

import os

from jobs._cli import Job, Reporter, main
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import why_not

STAGE = "base"


def run(job: Job) -> str:
    """Make the base model that SFT starts from, or find the one that is kept."""
    plan = RetrainPlan.read(job.run_dir)
    if why := why_not(plan, job.run_dir, STAGE):
        return why
    settings = plan.apply(job.settings)
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.training.threads))
    # Imported here: torch and TRL take ten seconds, which a stage that is done should not pay.
    from recthinker.training.stages import make_base
    from recthinker.training.tracking import log_result

    result = make_base(plan, settings, job.run_dir, Reporter())
    log_result(settings, plan, result)
    return result.summary


if __name__ == "__main__":
    main("train_base", run)
