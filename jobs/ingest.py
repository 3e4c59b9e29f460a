"""Outside data into the landing tables.

Reads: the files named. Writes: interactions, items, users, item_relations, quarantine. Safe to run again: the
    same data are skipped, other data are added, by key. `python -m jobs.ingest --source movielens --path DIR`
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from jobs._cli import Job, main
from recthinker.errors import ConfigError
from recthinker.sources.ingest import ingest
from recthinker.sources.movielens import open_movielens
from recthinker.sources.raw import Source
from recthinker.sources.tabular import open_tabular
from recthinker.tables.spark import spark_session


def run(job: Job) -> str:
    """Bring a MovieLens folder or tabular files into the landing tables."""
    settings = job.settings
    summary = ingest(
        _source(job.args),
        settings.paths.warehouse,
        settings.ingest,
        open_spark=lambda: spark_session(settings.spark, "recthinker-ingest"),
        run_id=job.run_id,
        now=datetime.now(UTC),
    )
    return str(summary)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which data, and what their columns are called."""
    parser.add_argument("--source", choices=["movielens", "tabular"], required=True, help="reader")
    parser.add_argument("--path", type=Path, required=True, help="movielens: the folder; tabular: interactions")
    parser.add_argument("--items", type=Path, help="tabular: file of items")
    parser.add_argument("--users", type=Path, help="tabular: file of users")
    parser.add_argument("--mapping", default="", help="tabular: our=their column names, as user_id=uid,item_id=sku")


def _source(args: argparse.Namespace) -> Source:
    if args.source == "tabular":
        return open_tabular(args.path, items=args.items, users=args.users, mapping=_mapping(args.mapping))
    if args.items or args.users or args.mapping:
        raise ConfigError("--items, --users and --mapping are for --source tabular; movielens finds its files itself")
    return open_movielens(args.path)


def _mapping(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not ours.strip() or not theirs.strip() for ours, _, theirs in pairs):
        raise ConfigError(f"--mapping should be our=theirs pairs with commas between them, found {text!r}")
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


if __name__ == "__main__":
    main("ingest", run, add_arguments)
