"""Make the base model that SFT starts from, or find the one that is kept.

Reads: retrain_plan.json of the run, the training cut of D. Writes: <models>/base-<fingerprint>/ where there is none for
these settings and this data yet, <run_dir>/retrain/base/. Safe to run again: what is done is left alone.
Run: python -m jobs.train_base --ds D --run-id R
"""

from jobs._cli import Job, Reporter, main, run_stage
from recthinker.settings import Settings
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import StageResult


def run(job: Job) -> str:
    """Make the base model that SFT starts from, or find the one that is kept."""

    def make(plan: RetrainPlan, settings: Settings) -> StageResult:
        from recthinker.training.stages import make_base

        return make_base(plan, settings, job.run_dir, Reporter())

    return run_stage(job, "base", make)


if __name__ == "__main__":
    main("train_base", run)
