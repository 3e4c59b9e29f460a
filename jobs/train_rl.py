"""Train the SFT model on with reinforcement learning.

Reads: retrain_plan.json of the run, its SFT model, the training cut of D. Writes: <run_dir>/retrain/rl/ (model/,
result.json with all curves; checkpoints/ until it is done). Safe to run again: what is done is left alone, and what was
cut off goes on from its last checkpoint (`rl.save_every`).
Run: python -m jobs.train_rl --ds D --run-id R
"""

from jobs._cli import Job, Reporter, main, run_stage
from recthinker.settings import Settings
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import StageResult


def run(job: Job) -> str:
    """Train the SFT model on with reinforcement learning."""

    def make(plan: RetrainPlan, settings: Settings) -> StageResult:
        from recthinker.training.stages import make_rl

        return make_rl(plan, settings, job.run_dir, Reporter("NDCG"))

    return run_stage(job, "rl", make)


if __name__ == "__main__":
    main("train_rl", run)
