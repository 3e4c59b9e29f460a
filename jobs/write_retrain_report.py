"""Write the page of a retraining: whether the new model serves, and why.

Reads: the plan, the stages' results, the evaluations, the decision and the stage times of the run. Writes:
retrain_report.html of the run, and the same page as reports/retrain-<D>-<run>.html under var. A run that was refused,
or that stopped on its way, has a page too. Safe to run again: the page is replaced.
Run: python -m jobs.write_retrain_report --ds D --run-id R
"""

from jobs._cli import Job, main
from recthinker.evaluation import kept_figures
from recthinker.registry import Registry
from recthinker.report import (
    Evaluation,
    Retraining,
    Systems,
    read_evaluation,
    read_retraining,
    render_retraining,
    write_page,
)
from recthinker.settings import load_settings
from recthinker.training.tracking import log_end


def run(job: Job) -> str:
    """Write the page of a retraining."""
    retraining = read_retraining(job.run_dir)
    challenger, champion = _measured(job, retraining)
    systems = Systems(challenger=_evaluation(job, challenger), champion=_evaluation(job, champion))
    # What conf/base.yaml says, whatever overlay is in force.
    defaults = load_settings("base", environ={}).model_dump(mode="json")
    page = job.run_dir / "retrain_report.html"
    copy = job.settings.paths.reports / f"retrain-{job.ds}-{job.run_id}.html"
    write_page(render_retraining(retraining, systems, defaults), page, copy)
    if retraining.stopped_before is None:
        log_end(job.settings, retraining.plan, page)
    return f"{_told(retraining)}; written to {page}"


def _measured(job: Job, retraining: Retraining) -> tuple[str | None, str | None]:
    """Challenger and champion, `name/version`, as the gate had them; before it, as they stand."""
    if decision := retraining.decision:
        return decision.challenger, decision.champion
    waiting = Registry(job.settings).aliased(job.settings.gate.challenger)
    return None if waiting is None else str(waiting), retraining.plan.champion


def _evaluation(job: Job, model: str | None) -> Evaluation | None:
    """What this run measured of a model; None: it did not."""
    return read_evaluation(kept_figures(job.run_dir, model) if model else None)


def _told(retraining: Retraining) -> str:
    if retraining.decision is None:
        stopped = retraining.stopped_before
        return f"nothing decided, stopped before {stopped}" if stopped else "nothing to decide"
    return f"{retraining.decision.challenger} {'serves' if retraining.is_served else 'does not serve'}"


if __name__ == "__main__":
    main("write_retrain_report", run)
