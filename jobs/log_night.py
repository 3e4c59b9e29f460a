"""Log a published night to MLflow: its figures as a run, some of its episodes as traces.

Reads: run_manifest and trajectories of D. Writes: the run `night D` of the experiment. Safe to run again: the run is
found and used again, and so are the traces of the same episodes. The night is published already, so that an MLflow
that cannot be reached is a warning.
Run: python -m jobs.log_night --ds D --run-id R
"""

import logging
from functools import partial

from jobs._cli import Job, main
from recthinker.errors import RegistryError
from recthinker.registry import Registry
from recthinker.report import choose_traced, read_episodes, read_manifest

logger = logging.getLogger("jobs.log_night")


def run(job: Job) -> str:
    """Log a published night to MLflow."""
    settings = job.settings
    manifest = read_manifest(settings.paths.warehouse, job.ds, job.run_id)
    choose = partial(choose_traced, count=settings.registry.traced_episodes, seed=job.run_id)
    episodes = read_episodes(settings.paths.warehouse, job.ds, choose)
    try:
        run_id = Registry(settings).log_night(manifest, episodes)
    except RegistryError as error:
        logger.warning("night not logged ds=%s run_id=%s: %s", job.ds, job.run_id, error)
        return "not logged, the night stays published"
    return f"MLflow run {run_id} with {len(episodes)} traced episodes"


if __name__ == "__main__":
    main("log_night", run)
