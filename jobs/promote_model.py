"""Decide whether the challenger serves from now on, and let it.

Reads what `evaluate_model` of the same run kept of champion and challenger for each user, and the training targets
beside the challenger. Writes the decision to gate.json beside the challenger and in `<runs>/<ds>/<run>/`; moves the
serving alias where it is promoted. A refusal is a result, not a failure. Of a retraining the decision is logged to its
MLflow run, and its plan may say that nothing is to move. Where no model serves yet, the challenger has to be better
than ordering by popularity. Safe to run again: a challenger that serves already is left alone.
`python -m jobs.promote_model --ds D --run-id R`
"""

from jobs._cli import Job, main
from recthinker.errors import RegistryError
from recthinker.evaluation import decide, kept_users, read_targets
from recthinker.files import write_json
from recthinker.registry import DECISION_FILE, Registry
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.verdict import log_verdict

NO_CHAMPION = "popularity"
"""What stands in the place of a champion where there is none yet."""


def run(job: Job) -> str:
    """Decide whether the challenger serves from now on."""
    plan = RetrainPlan.find(job.run_dir)
    settings = plan.apply(job.settings) if plan else job.settings
    registry = Registry(settings)
    champion, challenger = registry.champion(), registry.aliased(settings.gate.challenger)
    if challenger is None:
        raise RegistryError(f"the gate needs a version with the alias {settings.gate.challenger}; register one")
    if challenger == champion:
        return f"{challenger} serves already"
    new, serving = kept_users(job.run_dir, str(challenger)), registry.serving()
    decision = decide(
        new,
        kept_users(job.run_dir, str(serving)) if serving else new.by_popularity(),
        settings.gate,
        settings.evaluation,
        trained_on=read_targets(challenger.path),
    )
    moves = decision.is_promoted and (plan is None or plan.promote)
    against = str(serving or NO_CHAMPION)
    written = {"challenger": str(challenger), "champion": against, "moves": moves, **decision.as_dict()}
    write_json(job.run_dir / DECISION_FILE, written)
    registry.log_evaluation(challenger, written, DECISION_FILE)
    if plan:
        # Before the alias moves: once the challenger serves, a run that is done again decides nothing more.
        log_verdict(settings, plan, job.run_dir, written, challenger=challenger)
    if moves:
        registry.promote(challenger, over=champion)
    held = "; the plan lets nothing move" if decision.is_promoted and not moves else ""
    held += f"; model.path still serves {serving}" if moves and settings.model.path else ""
    return f"{challenger} against {against}: {decision.headline}{held}"


if __name__ == "__main__":
    main("promote_model", run)
