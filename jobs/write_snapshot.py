"""Write the lookup snapshot of D: the feature rows and candidates as memory-mapped files, versions pinned.

Reads the feature tables and candidates of D; writes <snapshots>/<ds>/<run_id>. Safe to run again: it is replaced whole.
"""

from dataclasses import replace

from jobs._cli import Job, main
from recthinker.lookup import nightly_requests, write_snapshot
from recthinker.lookup.read import read_features, read_pinned
from recthinker.tables.schemas import CANDIDATES


def run(job: Job) -> str:
    """Write the lookup snapshot of D."""
    settings = job.settings
    features = read_features(settings.paths.warehouse, job.ds)
    candidates, version = read_pinned(settings.paths.warehouse, CANDIDATES, job.ds)
    requests = nightly_requests(candidates, features.user_history)
    folder = settings.paths.snapshots / job.ds / job.run_id
    write_snapshot(
        folder,
        requests,
        replace(features, versions={**features.versions, CANDIDATES.name: version}),
        ds=job.ds,
        shards=settings.snapshot.shards,
        min_users=settings.tools.privacy_min_users,
    )
    return f"{requests.num_rows} users in {settings.snapshot.shards} shards at {folder}"


if __name__ == "__main__":
    main("write_snapshot", run)
