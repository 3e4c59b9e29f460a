"""Outside data into the landing tables.

Reads: the files or Delta tables named. Writes: interactions, items, users, item_relations, quarantine, ingests. Safe
    to run again: the same data are skipped, other data are added, by key. What each source reads: docs/sources.md.
    `python -m jobs.ingest --source movielens --path DIR`
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from jobs._cli import Job, main
from recthinker.errors import ConfigError
from recthinker.sources.amazon_reviews import open_amazon_reviews
from recthinker.sources.delta import open_delta
from recthinker.sources.ingest import ingest
from recthinker.sources.movielens import open_movielens
from recthinker.sources.raw import Source
from recthinker.sources.tabular import open_tabular
from recthinker.tables.spark import spark_session

OPENERS: dict[str, Callable[..., Source]] = {
    "movielens": open_movielens,
    "tabular": open_tabular,
    "amazon_reviews": open_amazon_reviews,
    "delta": open_delta,
}
OPTIONS = {
    "movielens": (),
    "tabular": ("items", "users", "mapping", "event_type"),
    "amazon_reviews": ("items",),
    "delta": ("items", "users", "mapping", "event_type", "version"),
}
"""Source to the options that it takes."""


def run(job: Job) -> str:
    """Bring outside data into the landing tables."""
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
    parser.add_argument("--source", choices=list(OPTIONS), required=True, help="reader")
    parser.add_argument("--path", type=Path, required=True, help="movielens: the folder; else the interactions")
    parser.add_argument("--items", type=Path, help="file, or Delta table, of items")
    parser.add_argument("--users", type=Path, help="file, or Delta table, of users")
    parser.add_argument("--mapping", default="", help="our=their column names, as user_id=uid,item_id=sku")
    parser.add_argument("--event-type", help="type of all events, where the data have no such column")
    parser.add_argument("--version", type=int, help="delta: version of the interactions; else the newest")


def _source(args: argparse.Namespace) -> Source:
    named = {option for options in OPTIONS.values() for option in options}
    given = {option: getattr(args, option) for option in sorted(named) if getattr(args, option) not in (None, "")}
    for option in given:
        if option not in OPTIONS[args.source]:
            takers = ", ".join(source for source, options in OPTIONS.items() if option in options)
            raise ConfigError(f"--{option.replace('_', '-')} is for --source {takers}, found --source {args.source}")
    if "mapping" in given:
        given["mapping"] = _mapping(args.mapping)
    return OPENERS[args.source](args.path, **given)


def _mapping(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not ours.strip() or not theirs.strip() for ours, _, theirs in pairs):
        raise ConfigError(f"--mapping should be our=theirs pairs with commas between them, found {text!r}")
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


if __name__ == "__main__":
    main("ingest", run, add_arguments)
