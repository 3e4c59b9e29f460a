"""Bring the feature tables of D up to date; with `--cut`, those of training cuts of D instead.

Reads: the landing tables, and the tables of the date that D is built on. Writes: the rows of D of the feature and state
tables and their record in `table_status`, or for each `--cut` the same in a folder of the cut, with `held_out`. Safe to
run again: what is up to date is left alone, and nothing is published before all checks have passed.
`python -m jobs.build_features --ds D --run-id R [--to E] [--force TABLE] [--cut holdout_last:11] [--with-candidates]`
"""

import argparse
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache, partial

from jobs._cli import Job, main
from recthinker.candidates import write_candidates
from recthinker.errors import ConfigError
from recthinker.features import Cut, build_cut, build_planned, plan_features, split_of
from recthinker.tables.arrow import table_version
from recthinker.tables.locks import hold
from recthinker.tables.schemas import INTERACTIONS
from recthinker.tables.spark import spark_session
from recthinker.tables.store import TableStore


def run(job: Job) -> str:
    """Bring the feature tables of D, or of training cuts, up to date."""
    cuts = [Cut.parse(text) for text in job.args.cut]
    days = _days(job.ds, job.args.to or job.ds)
    warehouse = cache(partial(_warehouse, job))  # Spark starts once, and only where there is something to do
    if cuts:
        return "; ".join(_cut(job, warehouse(), cut) for cut in cuts)
    return "; ".join(_serving(job, warehouse, ds, is_alone=len(days) == 1) for ds in days)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which dates or cuts, and whether candidates too."""
    parser.add_argument("--to", help="last date of a range that starts at --ds; dates that are up to date are left out")
    parser.add_argument("--force", action="append", default=[], help="table to build in any case; repeatable")
    parser.add_argument("--cut", action="append", default=[], help="holdout_last:N or temporal:DATE; repeatable")
    parser.add_argument("--with-candidates", action="store_true", help="build the cuts' candidates in the same go")


def _serving(job: Job, warehouse: Callable[..., TableStore], ds: str, *, is_alone: bool) -> str:
    settings = job.settings
    lock = settings.paths.locks / f"features-{ds}.lock"
    with hold(lock, f"features of {ds}", timeout_s=settings.features.lock_timeout_s):
        plan = plan_features(settings.paths.warehouse, ds, settings.features, force=job.args.force)
        opened = partial(warehouse, is_short=is_alone and plan.base is not None)
        summary = build_planned(plan, settings.features, run_id=job.run_id, open_store=opened)
    return f"{ds} {summary}"


def _warehouse(job: Job, *, is_short: bool = False) -> TableStore:
    """The tables, with this process's Spark session."""
    spark = spark_session(job.settings.spark, "recthinker-build-features", is_short=is_short)
    return TableStore(job.settings.paths.warehouse, spark)


def _cut(job: Job, warehouse: TableStore, cut: Cut) -> str:
    settings, where = job.settings, {"ds": job.ds, "run_id": job.run_id}
    lock = settings.paths.locks / f"cut-{cut.name}-{job.ds}.lock"
    with hold(lock, f"training cut {cut.name} of {job.ds}", timeout_s=settings.features.lock_timeout_s):
        rows = build_cut(warehouse, cut, cuts_root=settings.paths.cuts, settings=settings.features, **where)
    if job.args.with_candidates:
        store = TableStore(settings.paths.cut(cut.name), warehouse.spark)
        # Taken before they are read: where more arrives in between, the candidates are built again, never left old.
        version = table_version(warehouse.root, INTERACTIONS)
        view, _ = split_of(warehouse, cut, ds=job.ds, settings=settings.features)
        rows["candidates"] = write_candidates(
            view,
            store,
            interactions_version=version,
            features=settings.features,
            settings=settings.candidates,
            **where,
        )
    return f"{cut.name}: {', '.join(f'{table} {count}' for table, count in rows.items()) or 'up to date'}"


def _days(first: str, last: str) -> list[str]:
    try:
        days = (date.fromisoformat(last) - date.fromisoformat(first)).days
    except ValueError as error:
        raise ConfigError(f"--to should be a date as YYYY-MM-DD, found {last!r}") from error
    if days < 0:
        raise ConfigError(f"--to should not be before --ds {first}, found {last}")
    return [str(date.fromisoformat(first) + timedelta(days=day)) for day in range(days + 1)]


if __name__ == "__main__":
    main("build_features", run, add_arguments)
