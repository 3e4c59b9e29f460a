"""Select what SFT learns from: of a run's rollouts those that rank the chosen item high without needless calls.

Reads: retrain_plan.json of the run, its base model, its rows of table rollouts, <run_dir>/retrain/collect/. Writes:
<run_dir>/retrain/select/ (examples.parquet, the hashes of their targets, result.json with counts of each filter, plan
shares, leads and samples). Safe to run again: what is done is left alone.
Run: python -m jobs.select_episodes --ds D --run-id R
"""

from jobs._cli import Job, main
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.select_stage import STAGE, select_episodes
from recthinker.training.stage import why_not
from recthinker.training.tracking import log_result


def run(job: Job) -> str:
    """Select what SFT learns from."""
    plan = RetrainPlan.read(job.run_dir)
    if why := why_not(plan, job.run_dir, STAGE):
        return why
    settings = plan.apply(job.settings)
    result = select_episodes(plan, settings, job.run_dir)
    log_result(settings, plan, result)
    dropped = {name.removeprefix("dropped_"): n for name, n in result.figures.items() if name.startswith("dropped_")}
    reasons = ", ".join(f"{count:.0f} {name.replace('_', ' ')}" for name, count in dropped.items() if count)
    return f"{result.summary}; dropped: {reasons or 'none'}"


if __name__ == "__main__":
    main("select_episodes", run)
