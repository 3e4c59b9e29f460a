"""The rule for D, with the times that Airflow gives each kind of run."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest

from dags._day import resolve, resolve_range
from recthinker.errors import ConfigError

NOW = datetime(2026, 11, 23, 4, 12, 45, tzinfo=UTC)


@dataclass
class Times:
    """The two times of a dag run that the rule reads."""

    logical_date: datetime | None
    run_after: datetime = NOW


def midnight(month: int, day: int) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "day"),
    [
        pytest.param(Times(midnight(11, 22), midnight(11, 23)), "2026-11-22", id="scheduled: the day that just ended"),
        pytest.param(
            Times(midnight(11, 22) + timedelta(hours=2), midnight(11, 23) + timedelta(hours=2)),
            "2026-11-22",
            id="scheduled at 2 o'clock",
        ),
        pytest.param(
            Times(midnight(11, 23) + timedelta(hours=6), midnight(11, 23) + timedelta(hours=6)),
            "2026-11-22",
            id="schedule of triggers at 6 o'clock: logical date is the moment of the run",
        ),
        pytest.param(Times(midnight(11, 23), midnight(11, 23)), "2026-11-22", id="schedule of triggers at midnight"),
        pytest.param(Times(midnight(11, 14)), "2026-11-14", id="backfill"),
        pytest.param(Times(midnight(11, 3)), "2026-11-03", id="manual with a logical date"),
        pytest.param(Times(None), "2026-11-22", id="manual without a date: last complete day"),
        pytest.param(Times(NOW), "2026-11-22", id="airflow dags test without a date: logical date is now"),
        pytest.param(Times(NOW - timedelta(seconds=3)), "2026-11-22", id="trigger form: logical date is about now"),
        pytest.param(
            Times(None, datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=2)))),
            "2026-11-21",  # 1 o'clock there is 23 o'clock UTC of the 22nd, which is not over
            id="other time zone",
        ),
    ],
)
def test_day_of_a_run(times: Times, day: str) -> None:
    assert resolve(times, None) == day


def test_param_wins_over_logical_date() -> None:
    assert resolve(Times(midnight(11, 3)), "2026-11-01") == "2026-11-01"


@pytest.mark.parametrize(
    ("times", "param"),
    [
        pytest.param(Times(midnight(11, 24)), None, id="logical date tomorrow"),
        pytest.param(Times(midnight(11, 23)), None, id="logical date today, asked for by name"),
        pytest.param(Times(None), "2026-11-23", id="param today"),
        pytest.param(Times(midnight(11, 3)), "2030-01-01", id="param in years"),
    ],
)
def test_day_that_is_not_over_fails(times: Times, param: str | None) -> None:
    with pytest.raises(ConfigError, match="not over yet: the last complete UTC day before this run is 2026-11-22"):
        resolve(times, param)


def test_param_that_is_no_date_fails() -> None:
    with pytest.raises(ConfigError, match="YYYY-MM-DD, found 'yesterday'"):
        resolve(Times(None), "yesterday")


def test_range_holds_both_ends_and_crosses_months() -> None:
    assert resolve_range(Times(None), "2026-10-30", "2026-11-01") == ["2026-10-30", "2026-10-31", "2026-11-01"]
    assert resolve_range(Times(None), "2026-11-22", "2026-11-22") == ["2026-11-22"]


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2026-11-01", "", "given together, found from='2026-11-01', to=''"),
        ("", "2026-11-01", "given together"),
        ("2026-11-02", "2026-11-01", "should not be before from"),
        ("2026-11-01", "2026-11-23", "2026-11-23 is not over yet"),
        ("soon", "2026-11-01", "param from should be a date as YYYY-MM-DD, found 'soon'"),
    ],
)
def test_range_that_cannot_be_meant_fails(first: str, last: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve_range(Times(None), first, last)


def test_clearing_a_run_later_keeps_its_day() -> None:
    # run_after is stored with the run, so the rule reads no clock: the same run always has the same D.
    long_ago = Times(None, datetime(2020, 1, 2, tzinfo=UTC))
    assert resolve(long_ago, None) == "2020-01-01"
