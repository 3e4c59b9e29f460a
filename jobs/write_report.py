"""Write the nightly page: what happened in the run that published D.

Reads: trajectories, recommendations, run_manifest, user_history, item_metadata and candidates of D, the stage
times and the plan of the run, the evaluation kept with the model that served. Writes: report.html of the run,
and the same page as reports/<D>.html under var. Safe to run again: the page is replaced.
Run: python -m jobs.write_report --ds D --run-id R
"""

from pathlib import Path

from jobs._cli import Job, main
from recthinker.inference.plan import InferencePlan
from recthinker.registry import TEMPORAL_FILE, ModelVersion, Registry
from recthinker.report import read_evaluation, read_night, render_page, write_page
from recthinker.tools import Toolbox


def run(job: Job) -> str:
    """Write the nightly page of a published run."""
    settings = job.settings
    night = read_night(settings.paths.warehouse, job.run_dir, job.ds, job.run_id)
    registry, served = Registry(settings), _served(job)
    evaluation = read_evaluation(registry.evaluation(served), registry.evaluation(served, TEMPORAL_FILE))
    html = render_page(night, evaluation, stories=settings.report.stories, tools=list(Toolbox(settings.tools).tools))
    page = job.run_dir / "report.html"
    write_page(html, page, settings.paths.reports / f"{job.ds}.html")
    return f"report of {night.manifest['users']} users written to {page}"


def _served(job: Job) -> ModelVersion:
    """The model that the run pinned."""
    plan = InferencePlan.read(job.run_dir)
    name, _, version = plan.model_version.rpartition("/")
    return ModelVersion(name, version, Path(plan.model_path))


if __name__ == "__main__":
    main("write_report", run)
