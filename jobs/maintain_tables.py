"""Upkeep of all tables: old dates, files that nobody needs, small files.

Reads: the registry, run folders, `run_manifest`, `table_status`. Writes: commits that delete old dates of features,
states, candidates and cuts, and such that put small files together. Versions that a registered model, an open run or a
kept date refers to stay readable. Safe to run again, and beside builds. `python -m jobs.maintain_tables [--dry-run]`
"""

import argparse
from datetime import UTC, datetime

from jobs._cli import Job, main
from recthinker.registry import Registry
from recthinker.tables.locks import hold
from recthinker.upkeep import maintain


def run(job: Job) -> str:
    """Do the upkeep of the warehouse and the cuts."""
    settings, dry_run = job.settings, bool(job.args.dry_run)
    with hold(settings.paths.locks / "upkeep.lock", "upkeep of the tables", timeout_s=0):
        done = maintain(
            settings.paths,
            settings.retention,
            Registry(settings).table_reads(),
            now=datetime.now(UTC),
            run_id=job.run_id,
            dry_run=dry_run,
        )
    dates, compacted = sum(len(one.dates) for one in done), sum(one.compacted for one in done)
    files = sum(len(one.unneeded.replaced) + len(one.unneeded.orphans) for one in done)
    notes = "".join(f"; {one.table}: {note}" for one in done for note in one.notes)
    told = f"{len(done)} tables: {dates} dates deleted, {compacted} partitions compacted, {files} files removed{notes}"
    return f"would do: {told}" if dry_run else told


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="tell what would be done, do nothing")


if __name__ == "__main__":
    main("maintain_tables", run, _arguments)
