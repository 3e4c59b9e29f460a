"""Build the candidates of D.

Reads: interactions, user_history, co_interaction, item_metadata. Writes: the rows of D of `candidates`, and their
record in `table_status`. Safe to run again: the rows of D are replaced in one commit, after all checks have passed.
`python -m jobs.build_candidates --ds D --run-id R`
"""

from jobs._cli import Job, main
from recthinker.candidates import write_candidates
from recthinker.features import known_interactions
from recthinker.tables.arrow import table_version
from recthinker.tables.locks import hold
from recthinker.tables.schemas import INTERACTIONS
from recthinker.tables.spark import spark_session
from recthinker.tables.store import TableStore


def run(job: Job) -> str:
    """Build the candidates of D from its feature tables."""
    settings = job.settings
    store = TableStore(settings.paths.warehouse, spark_session(settings.spark, "recthinker-build-candidates"))
    # Before the rows are read: should more arrive in between, the next plan sees that these candidates lack it.
    version = table_version(store.root, INTERACTIONS)
    lock = settings.paths.locks / f"candidates-{job.ds}.lock"
    with hold(lock, f"candidates of {job.ds}", timeout_s=settings.features.lock_timeout_s):
        users = write_candidates(
            known_interactions(store, ds=job.ds, settings=settings.features),
            store,
            interactions_version=version,
            ds=job.ds,
            settings=settings.candidates,
            features=settings.features,
            run_id=job.run_id,
        )
    return f"candidates of {users} users"


if __name__ == "__main__":
    main("build_candidates", run)
