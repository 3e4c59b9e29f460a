"""Airflow tasks that run a job of `jobs/` in a fresh child process, never forked from the worker.

The child starts without Airflow's own settings (they hold secrets), in the process group of the task, so that
it ends when Airflow kills the task. Its lines go to the task's log as they come; its last line says what it
did or what failed.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
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


def day_param(description: str) -> Param:
    """A param that takes a date, or nothing."""
    return Param(None, type=["null", "string"], format="date", description=description)


def dag_arguments(settings: Settings, params: Mapping[str, Param] | None = None) -> dict[str, Any]:
    """What all DAGs share: the param `day`, one run at a time; owner, retries and timeout of their tasks.

    Args:
        settings: those in force.
        params: of the DAG, beside `day`.
    """
    return {
        "start_date": datetime.combine(settings.orchestration.start_date, time(0), UTC),
        "catchup": False,
        "max_active_runs": 1,
        "params": {"day": day_param("logical date D"), **(params or {})},
        "default_args": {
            "owner": "recthinker",
            "retries": settings.orchestration.retries,
            "retry_delay": RETRY_DELAY,
            "execution_timeout": timedelta(minutes=settings.orchestration.task_timeout_minutes),
        },
    }


def whole_pool(settings: Settings) -> dict[str, Any]:
    """Options of a task that trains, collects rollouts or evaluates: while it runs, no night's shard does."""
    return {
        "pool": settings.orchestration.inference_pool,
        "pool_slots": settings.orchestration.inference_pool_slots,
        "execution_timeout": timedelta(minutes=settings.orchestration.training_timeout_minutes),
    }


@task
def resolve_day() -> str:
    """The logical date D of this run, for all tasks after it."""
    refuse_unknown_params()
    context = get_current_context()
    try:
        return _day.resolve(context["dag_run"], context["params"].get("day"))
    except ConfigError as error:
        raise AirflowFailException(str(error)) from error


def refuse_unknown_params() -> None:
    """Airflow checks the params that a DAG declares, and lets a run have any others: a misspelt one would do nothing.

    Raises:
        AirflowFailException: the run was given a param that its DAG does not have.
    """
    context: Any = get_current_context()
    known = sorted(context["dag"].params)
    if unknown := sorted(set(context["dag_run"].conf or ()) - set(known)):
        raise AirflowFailException(
            f"unknown param {', '.join(unknown)}; this DAG takes {', '.join(known)}: trigger it again with these"
        )


def job_task(name: str, *arguments: str, task_id: str = "", **options: Any) -> Any:
    """A task that runs job `name` for the day it is called with; XCom keeps the job's summary line.

    Args:
        name: of the job.
        arguments: of its command line, beside the day and the run.
        task_id: its name by default.
        options: of the task.
    """

    @task(task_id=task_id or name, doc_md=command(name, *arguments), **options)
    def job(day: str) -> str:
        return run_job(name, day, *arguments)

    return job


def command(name: str, *arguments: str) -> str:
    """A job's command line, for the page of its task."""
    return f"`{' '.join((f'python -m jobs.{name} --ds D --run-id R', *arguments))}`"


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
    label = " ".join((name, *(argument for argument in arguments if argument.isdigit())))
    code, last_line = run_process(argv, label=label)
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
