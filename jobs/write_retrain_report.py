"""Write the page of a retraining: whether the new model serves, and why.

Reads: the plan, the stages' results, the decision and the stage times of the run, the evaluations kept with challenger
and champion. Writes: retrain_report.html of the run, and the same page as reports/retrain-<D>-<run>.html under var. A
run that was refused, or that stopped on its way, has a page too. Safe to run again: the page is replaced.
Run: python -m jobs.write_retrain_report --ds D --run-id R
"""

from pathlib import Path

from jobs._cli import Job, main
from recthinker.registry import ModelVersion, Registry
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
    registry = Registry(job.settings)
    systems = Systems(
        challenger=_evaluation(registry, _challenger(job, registry, retraining)),
        champion=_evaluation(registry, _champion(retraining)),
    )
    # What conf/base.yaml says, whatever overlay is in force.
    defaults = load_settings("base", environ={}).model_dump(mode="json")
    page = job.run_dir / "retrain_report.html"
    copy = job.settings.paths.reports / f"retrain-{job.ds}-{job.run_id}.html"
    write_page(render_retraining(retraining, systems, defaults), page, copy)
    if retraining.stopped_before is None:
        log_end(job.settings, retraining.plan, page)
    return f"{_told(retraining)}; written to {page}"


def _champion(retraining: Retraining) -> ModelVersion | None:
    """The version that the run was measured against."""
    plan = retraining.plan
    if plan.champion is None or plan.champion_path is None:
        return None
    name, _, version = plan.champion.rpartition("/")
    return ModelVersion(name, version, Path(plan.champion_path))


def _challenger(job: Job, registry: Registry, retraining: Retraining) -> ModelVersion | None:
    """The version that waits at the gate, where it is this run's: one that the run measured beside the champion."""
    version = registry.aliased(job.settings.gate.challenger)
    if version is None or str(version) == retraining.plan.champion:
        return None
    is_measured = (job.run_dir / "evaluation" / f"{version.name}-{version.version}.parquet").is_file()
    return version if is_measured else None


def _evaluation(registry: Registry, version: ModelVersion | None) -> Evaluation | None:
    return read_evaluation(registry.evaluation(version)) if version else None


def _told(retraining: Retraining) -> str:
    if retraining.decision is None:
        stopped = retraining.stopped_before
        return f"nothing decided, stopped before {stopped}" if stopped else "nothing to decide"
    return f"{retraining.decision.challenger} {'serves' if retraining.is_served else 'does not serve'}"


if __name__ == "__main__":
    main("write_retrain_report", run)
