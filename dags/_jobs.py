"""Airflow tasks that run a job of `jobs/` in a fresh child process, never forked from the worker.

The child starts without Airflow's own settings (they hold secrets), in the process group of the task, so that
it ends when Airflow kills the task. Its lines go to the task's log as they come; its last line says what it
did or what failed.
"""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from typing import Any

from airflow.sdk import Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from dags import _day
from recthinker.errors import ConfigError
from recthinker.settings import Settings

EXIT_NO_RETRY = 42
RETRY_DELAY = timedelta(seconds=30)
STOP_TIMEOUT_S = 10


def dag_arguments(settings: Settings) -> dict[str, Any]:
    """What all DAGs share: the param `day`, one run at a time; owner, retries and timeout of their tasks."""
    return {
        "start_date": datetime.combine(settings.orchestration.start_date, time(0), UTC),
        "catchup": False,
        "max_active_runs": 1,
        "params": {"day": Param(None, type=["null", "string"], format="date", description="logical date D")},
        "default_args": {
            "owner": "recthinker",
            "retries": settings.orchestration.retries,
            "retry_delay": RETRY_DELAY,
            "execution_timeout": timedelta(minutes=settings.orchestration.task_timeout_minutes),
        },
    }


@task
def resolve_day() -> str:
    """The logical date D of this run, for all tasks after it."""
    context = get_current_context()
    try:
        return _day.resolve(context["dag_run"], context["params"].get("day"))
    except ConfigError as error:
        raise AirflowFailException(str(error)) from error


def job_task(name: str, **options: Any) -> Any:
    """A task that runs job `name` for the day it is called with; XCom keeps the job's summary line."""

    @task(task_id=name, doc_md=f"`python -m jobs.{name} --ds D --run-id R`", **options)
    def job(day: str) -> str:
        return run_job(name, day)

    return job


def run_id() -> str:
    """This dag run's id as the jobs get it: only characters that a folder name may hold."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", get_current_context()["dag_run"].run_id)


def run_job(name: str, day: str, *arguments: str) -> str:
    """Run `python -m jobs.<name>` for `day` to its end; its last line.

    Raises:
        AirflowFailException: the job says that a retry cannot help (exit code 42).
        RuntimeError: it failed otherwise; Airflow retries.
    """
    argv = [sys.executable, "-m", f"jobs.{name}", "--ds", day, "--run-id", run_id(), *arguments]
    code, last_line = run_process(argv, label=" ".join((name, *arguments[1::2])))
    require_success(code, f"{name} for {day} exited {code}: {last_line}")
    return last_line


def require_success(code: int, message: str) -> None:
    """Turn a job's exit code into what Airflow understands.

    Raises:
        AirflowFailException: the job says that a retry cannot help (exit code 42).
        RuntimeError: it failed otherwise; Airflow retries.
    """
    if code == EXIT_NO_RETRY:
        raise AirflowFailException(message)
    if code:
        raise RuntimeError(message)


def run_process(argv: list[str], *, label: str) -> tuple[int, str]:
    """Run `argv` to its end, printing each line as `[label] line`; its exit code and its last line."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW__")}
    last_line = ""
    process = subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            print(f"[{label}] {line.rstrip()}", flush=True)
            last_line = line.strip() or last_line
        return process.wait(), last_line
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    """End a job that its task leaves behind (timeout); nothing when it has ended."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
