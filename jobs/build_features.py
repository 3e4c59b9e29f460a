"""Build the six feature tables of D, and optionally its candidates; with `--cut`, of training cuts instead.

Reads: the landing tables. Writes: the rows of D of the feature tables (and `candidates`), in the warehouse,
or for each `--cut` in a warehouse of the cut, together with the view that the cut leaves (`interactions`) and
`held_out`. Safe to run again: each table's rows of D are replaced in one commit.
`python -m jobs.build_features --ds D --run-id R [--cut holdout_last:11] [--cut ...] [--with-candidates]`
"""

import argparse
from datetime import datetime

from jobs._cli import Job, main
from recthinker.candidates import write_candidates
from recthinker.features import Cut, Target, targets, write_features
from recthinker.tables.checks import run_checks
from recthinker.tables.spark import spark_session
from recthinker.tables.store import TableStore


def run(job: Job) -> str:
    """Build the feature tables of D, or of training cuts."""
    settings, args = job.settings, job.args
    cuts = [Cut.parse(text) for text in args.cut]
    spark = spark_session(settings.spark, "recthinker-build-features")
    warehouse = TableStore(settings.paths.warehouse, spark)
    if not cuts:
        run_checks(spark, warehouse)
    to_build = targets(
        warehouse,
        cuts,
        cuts_root=settings.paths.cuts,
        ds=job.ds,
        settings=settings.features,
        cutoff=args.cutoff,
    )
    return "; ".join(f"{target.name}: {_build(job, target)}" for target in to_build)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which cuts, and whether candidates too."""
    parser.add_argument("--cut", action="append", default=[], help="holdout_last:N or temporal:DATE; repeatable")
    parser.add_argument("--with-candidates", action="store_true", help="build the candidates in the same go")
    parser.add_argument("--cutoff", type=datetime.fromisoformat, help="leave out what arrived later (UTC)")


def _build(job: Job, target: Target) -> str:
    """Features, and candidates where asked for; the rows written, as text."""
    settings, where = job.settings, {"ds": job.ds, "run_id": job.run_id}
    rows = write_features(target, settings=settings.features, **where)
    if job.args.with_candidates:
        known = target.landing.interactions
        rows["candidates"] = write_candidates(
            known, target.store, settings=settings.candidates, features=settings.features, **where
        )
    return ", ".join(f"{table} {count}" for table, count in rows.items())


if __name__ == "__main__":
    main("build_features", run, add_arguments)
