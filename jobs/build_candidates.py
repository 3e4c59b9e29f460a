"""Build the candidates of D; with `--cut`, of training cuts instead.

Reads: interactions, user_history, co_interaction, item_metadata. Writes: the rows of D of `candidates`, in
the warehouse, or for each `--cut` in that of the cut. Safe to run again: the rows of D are replaced in one
commit.
`python -m jobs.build_candidates --ds D --run-id R [--cut holdout_last:11] [--cut ...]`
"""

import argparse
from datetime import datetime

from jobs._cli import Job, main
from recthinker.candidates import write_candidates
from recthinker.features import Cut, Target, targets
from recthinker.tables.spark import spark_session
from recthinker.tables.store import TableStore


def run(job: Job) -> str:
    """Build the candidates of D, or of training cuts, from their feature tables."""
    settings, args = job.settings, job.args
    cuts = [Cut.parse(text) for text in args.cut]
    spark = spark_session(settings.spark, "recthinker-build-candidates")
    to_build = targets(
        TableStore(settings.paths.warehouse, spark),
        cuts,
        cuts_root=settings.paths.cuts,
        ds=job.ds,
        settings=settings.features,
        cutoff=args.cutoff,
    )
    return "; ".join(f"{target.name}: {_build(job, target)} users" for target in to_build)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which cuts."""
    parser.add_argument("--cut", action="append", default=[], help="holdout_last:N or temporal:DATE; repeatable")
    parser.add_argument("--cutoff", type=datetime.fromisoformat, help="leave out what arrived later (UTC)")


def _build(job: Job, target: Target) -> int:
    settings = job.settings
    return write_candidates(
        target.landing.interactions,
        target.store,
        ds=job.ds,
        settings=settings.candidates,
        features=settings.features,
        run_id=job.run_id,
    )


if __name__ == "__main__":
    main("build_candidates", run, add_arguments)
