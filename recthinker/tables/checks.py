"""The audit: checks of sql/checks (`recthinker.tables.check_files`), run over the rows of tables.

Landing tables are checked before anything is built from them, rows of D after they were written aside and before they
are published. What a single write can see (types) the store refuses already; here are keys, values, and what tables
say of each other and of the dates before.
"""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from recthinker.errors import TableContractError
from recthinker.tables.check_files import NEW, ROW_COUNTS, Check, Severity, check_names, read_checks
from recthinker.tables.contract import SAMPLE_ROWS
from recthinker.tables.schemas import CANDIDATES, FEATURES, STATE

__all__ = ["CheckResult", "audit", "check_names", "passed_checks", "told_warnings"]

logger = logging.getLogger(__name__)

RUNNERS = 2
"""Checks run at once: while one is planned, another computes."""
_OF_A_DATE = tuple(table.name for table in (*FEATURES, *STATE, CANDIDATES))


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What became of a check."""

    name: str
    tables: tuple[str, ...]
    """What it names in braces."""
    rule: str
    """What it demands, in a sentence."""
    severity: Severity = "stop"
    count: int = 0
    """Rows that break it; 0: it passed, or was skipped."""
    offending: tuple[str, ...] = ()
    """A few of these rows, as JSON."""
    missing: tuple[str, ...] = ()
    """What it names and was not given; empty: it ran."""

    @property
    def is_skipped(self) -> bool:
        """Whether it could not run."""
        return bool(self.missing)

    @property
    def has_passed(self) -> bool:
        """Whether it ran and found nothing."""
        return not self.count and not self.missing

    def __str__(self) -> str:
        """`check: rule (count rows), such as {...}`."""
        rows = f"{self.count} row{'' if self.count == 1 else 's'}"
        return f"{self.name}: {self.rule.removesuffix('.')} ({rows}), such as {'; '.join(self.offending)}"


def audit(
    spark: SparkSession,
    frames: Mapping[str, DataFrame],
    *,
    names: Sequence[str] | None = None,
    folder: Path | None = None,
) -> list[CheckResult]:
    """Run the checks named (default: all) that read nothing but `frames`.

    Frames are read once for each check, a few columns each: give rows that lie in files, not rows to compute.

    Args:
        spark: the session.
        frames: by the name in braces: `<table>`, rows of a landing table, or those of D of another one;
            `<table>_new`, those of them that were not carried on, all where it is not given;
            `<table>_before`, rows of the date built before D; `table_status`, rows of dates before D; `row_counts`
            (table, rows) where the rows of D are known, else they are counted.
        names: the checks to run; `check_names(reading=...)` finds those of a table.
        folder: where the files lie, sql/checks where not given.

    Returns:
        a result for each check; those that lack a frame are skipped, and say so. Warnings are logged too.

    Raises:
        TableContractError: a check of severity stop found offending rows; all that failed are named, each with their
            number and a few of them.
        ConfigError: there is no such check, or it cannot be read.
    """
    started = time.monotonic()
    checks = read_checks(names, folder=folder)
    given = {f"{name}{NEW}": rows for name, rows in frames.items()} | dict(frames)
    if any(ROW_COUNTS in check.frames for check in checks) and ROW_COUNTS not in given:
        given |= _row_counts(spark, frames)
    missing = {check.name: tuple(frame for frame in check.frames if frame not in given) for check in checks}
    found = _run(spark, [check for check in checks if not missing[check.name]], given)
    results = [_result(check, found.get(check.name), missing[check.name]) for check in checks]
    for result in results:
        if result.severity == "warning" and result.count:
            logger.warning("check warns check=%s rows=%d: %s", result.name, result.count, result)
    _require_passed(results, {check.name for check in checks if check.is_landing})
    logger.info(
        "checks done passed=%d warned=%d skipped=%d seconds=%.1f",
        sum(result.has_passed for result in results),
        sum(result.count > 0 for result in results),
        sum(result.is_skipped for result in results),
        time.monotonic() - started,
    )
    return results


def told_warnings(results: Iterable[CheckResult], table: str) -> list[str]:
    """`table_status.warnings` of a table: each warning of a check that names it, as `check: rule (count rows), ...`;
    what a check found in `row_counts` is told of the table that its row names.
    """
    return [str(result) for result in results if result.count and _is_about(result, table)]


def passed_checks(results: Iterable[CheckResult], table: str) -> int:
    """`table_status.checks` of a table: the checks that read it and passed."""
    return sum(result.has_passed and _is_about(result, table) for result in results)


def _is_about(result: CheckResult, table: str) -> bool:
    return not {table, f"{table}{NEW}", ROW_COUNTS}.isdisjoint(result.tables)


def _row_counts(spark: SparkSession, frames: Mapping[str, DataFrame]) -> dict[str, DataFrame]:
    """Rows of each table of D that is given, as the frame `row_counts`; nothing where none is."""
    counts = [
        frames[name].agg(F.lit(name).alias("table"), F.count(F.lit(1)).alias("rows"))
        for name in _OF_A_DATE
        if name in frames
    ]
    if not counts:
        return {}
    # Counted once: several statements read it.
    return {ROW_COUNTS: spark.createDataFrame(reduce(DataFrame.union, counts).collect(), "`table` string, rows long")}


def _run(spark: SparkSession, checks: Sequence[Check], frames: Mapping[str, DataFrame]) -> dict[str, Row]:
    """What each check found: count, offending (a few rows as JSON)."""

    def run(check: Check) -> Row:
        (found,) = _found(spark, check, {name: frames[name] for name in check.frames}).collect()
        return found

    # A query each: as one union, Spark would plan all of them again whenever a stage of one ends.
    with ThreadPoolExecutor(RUNNERS) as runners:
        return dict(zip((check.name for check in checks), runners.map(run, checks), strict=True))


def _found(spark: SparkSession, check: Check, frames: dict[str, Any]) -> DataFrame:
    """One row: count of offending rows, the first few of them in the order of their JSON."""
    rows = spark.sql(check.statement, **frames).select(F.to_json(F.struct("*")).alias("row"))
    few = F.array_sort(F.min_by("row", "row", SAMPLE_ROWS))
    return rows.agg(F.count("row").alias("count"), few.alias("offending"))


def _result(check: Check, found: Row | None, missing: tuple[str, ...]) -> CheckResult:
    count, offending = (found["count"], tuple(found["offending"] or ())) if found else (0, ())
    return CheckResult(check.name, check.frames, check.rule, check.severity, count, offending, missing)


def _require_passed(results: Sequence[CheckResult], landing: set[str]) -> None:
    failed = [result for result in results if result.severity == "stop" and result.count]
    if failed:
        mend = (
            "Mend the source and ingest it again"
            if landing.issuperset(result.name for result in failed)
            else "Nothing of this was published: mend what these rows are made from, and build them again"
        )
        raise TableContractError(
            f"{len(failed)} of {len(results)} checks failed. {'. '.join(map(str, failed))}. {mend}; "
            "sql/checks holds the statements that list all such rows"
        )
