"""The one rule for the logical date D of a run; no other code of a DAG may derive it.

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
    last complete day.

    Raises:
        ConfigError: `day` is no date, or D is not over yet when the run starts.
    """
    run_after = dag_run.run_after.astimezone(UTC)
    last_complete = run_after.date() - timedelta(days=1)
    if day:
        return _complete(_parse(day), last_complete)
    if dag_run.logical_date is None:
        return last_complete.isoformat()
    logical_date = dag_run.logical_date.astimezone(UTC)
    is_now = logical_date.date() == run_after.date() and logical_date.time() != time(0)
    return last_complete.isoformat() if is_now else _complete(logical_date.date(), last_complete)


def _parse(day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError as error:
        raise ConfigError(f"param day should be a date as YYYY-MM-DD, found {day!r}") from error


def _complete(day: date, last_complete: date) -> str:
    if day > last_complete:
        raise ConfigError(
            f"logical date {day} is not over yet: the last complete UTC day before this run is "
            f"{last_complete}; trigger the run with that day or an earlier one"
        )
    return day.isoformat()
