"""The one rule for the logical date D of a run, and for ranges of it; no other code of a DAG may derive them.

Airflow's `ds` and data interval are not used: a manual run may have neither, and the data interval of a
manual run is counted from the moment of the trigger.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from recthinker.errors import ConfigError


class DagRunTimes(Protocol):
    """What the rule reads of an Airflow dag run; both are stored with the run, so clearing it keeps D."""

    logical_date: datetime | None
    run_after: datetime


def resolve(dag_run: DagRunTimes, day: str | None) -> str:
    """The logical date D of a run as `YYYY-MM-DD`.

    The param `day` wins; then the run's logical date; then the last complete UTC day before the run. A
    logical date within the running day is what Airflow fills in when no date is given ("now"): it means the
    last complete day. So does one that is the moment of the run, as a schedule of triggers has it.

    Raises:
        ConfigError: `day` is no date, or D is not over yet when the run starts.
    """
    run_after = dag_run.run_after.astimezone(UTC)
    last_complete = _last_complete(dag_run)
    if day:
        return _complete(_parse(day, "day"), last_complete)
    if dag_run.logical_date is None:
        return last_complete.isoformat()
    logical_date = dag_run.logical_date.astimezone(UTC)
    is_now = logical_date.date() == run_after.date() and logical_date.time() != time(0)
    if is_now or logical_date == run_after:
        return last_complete.isoformat()
    return _complete(logical_date.date(), last_complete)


def resolve_range(dag_run: DagRunTimes, first: str, last: str) -> list[str]:
    """The logical dates from the param `from` to the param `to`, both included.

    Raises:
        ConfigError: one is missing or no date, they are the wrong way round, or the last is not over yet.
    """
    if not (first and last):
        raise ConfigError(f"params from and to should be given together, found from={first!r}, to={last!r}")
    start, end = _parse(first, "from"), _parse(last, "to")
    if end < start:
        raise ConfigError(f"param to should not be before from, found from={first}, to={last}")
    _complete(end, _last_complete(dag_run))
    return [(start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1)]


def _last_complete(dag_run: DagRunTimes) -> date:
    return dag_run.run_after.astimezone(UTC).date() - timedelta(days=1)


def _parse(day: str, param: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError as error:
        raise ConfigError(f"param {param} should be a date as YYYY-MM-DD, found {day!r}") from error


def _complete(day: date, last_complete: date) -> str:
    if day > last_complete:
        raise ConfigError(
            f"logical date {day} is not over yet: the last complete UTC day before this run is "
            f"{last_complete}; trigger the run with that day or an earlier one"
        )
    return day.isoformat()
