"""The quality gate: sql/checks/<name>.sql, each one statement that returns the offending rows, none when all
is well.

A check names its tables in braces (`FROM {interactions}`) and runs over their newest versions. What a single
write can see (types, nulls, keys within it) the store refuses already; the gate sees whole tables and what
they say of each other.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from recthinker.errors import ConfigError, TableContractError
from recthinker.settings import resource_dir
from recthinker.tables.contract import SAMPLE_ROWS
from recthinker.tables.schemas import TABLES
from recthinker.tables.store import TableStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check that was run."""

    name: str
    tables: tuple[str, ...]
    """Tables that it read."""
    rule: str
    """What it demands, in a sentence: the first line of its file."""
    offending: tuple[str, ...]
    """Rows that break it, as JSON, a few of them; empty: it passed."""


def check_names(folder: Path | None = None) -> list[str]:
    """The checks there are, sorted; `folder` is sql/checks where not given."""
    return sorted(path.stem for path in (folder or resource_dir("sql") / "checks").glob("*.sql"))


def run_checks(
    spark: SparkSession, store: TableStore, names: Sequence[str] | None = None, *, folder: Path | None = None
) -> list[CheckResult]:
    """Run the checks named (default: all), as one Spark query over the tables as they are now.

    Raises:
        TableContractError: a check found offending rows; all that failed are named, each with a few of its
            rows.
        ConfigError: there is no such check, or it reads a table that no contract describes.
    """
    folder = folder or resource_dir("sql") / "checks"
    statements = {name: _statement(folder, name) for name in names or check_names(folder)}
    tables = {name: _tables(name, statement) for name, statement in statements.items()}
    frames = {name: store.read(TABLES[name]).persist() for name in sorted(set(chain(*tables.values())))}
    findings = [
        _offending(spark, name, statement, {table: frames[table] for table in tables[name]})
        for name, statement in statements.items()
    ]
    rows = reduce(DataFrame.union, findings).collect() if findings else []
    for frame in frames.values():
        frame.unpersist()
    results = [
        CheckResult(name, tables[name], _rule(statement), tuple(row.row for row in rows if row.check == name))
        for name, statement in statements.items()
    ]
    _require_passed(results)
    logger.info("checks passed checks=%d tables=%s", len(results), ",".join(frames))
    return results


def _statement(folder: Path, name: str) -> str:
    path = folder / f"{name}.sql"
    if not path.is_file():
        known = ", ".join(check_names(folder)) or "none"
        raise ConfigError(f"check {name} not found; checks in {folder}: {known}")
    return path.read_text(encoding="utf-8")


def _tables(name: str, statement: str) -> tuple[str, ...]:
    """The tables that a statement names in braces."""
    tables = tuple(sorted(set(re.findall(r"\{(\w+)\}", statement))))
    unknown = [table for table in tables if table not in TABLES]
    if unknown:
        raise ConfigError(f"check {name} reads {', '.join(unknown)}, which no contract describes")
    return tables


def _offending(spark: SparkSession, name: str, statement: str, frames: dict[str, Any]) -> DataFrame:
    """A few rows that break a check: columns check, row (as JSON)."""
    rows = spark.sql(statement, **frames).limit(SAMPLE_ROWS)
    return rows.select(F.lit(name).alias("check"), F.to_json(F.struct("*")).alias("row"))


def _rule(statement: str) -> str:
    return statement.splitlines()[0].removeprefix("-- ")


def _require_passed(results: Sequence[CheckResult]) -> None:
    failed = [result for result in results if result.offending]
    if failed:
        told = " ".join(
            f"{result.name}: {result.rule} Rows that break it, such as {'; '.join(result.offending)}."
            for result in failed
        )
        raise TableContractError(
            f"{len(failed)} of {len(results)} checks failed. {told} Mend the source and ingest it again; "
            "sql/checks holds the statements that list all such rows"
        )
