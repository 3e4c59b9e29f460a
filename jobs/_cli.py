"""What every job shares: arguments, logging, timing, and how it ends.

A job ends with one line on standard output, its summary or what failed, and an exit code: 0 done, 42 failed and a retry
cannot help (bad input, bad settings), 1 failed and a retry may help. Its wall seconds go to
`<runs>/<ds>/<run_id>/stages/<job>.json`, for the manifest and the report; those of a dry run nowhere.
"""

import argparse
import logging
import multiprocessing
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from recthinker.errors import ConfigError, RecThinkerError
from recthinker.files import write_json
from recthinker.settings import Settings, load_settings
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.stage import StageResult, why_not
from recthinker.training.tracking import log_result

EXIT_NO_RETRY = 42
EXIT_RETRY = 1
PROGRESS_EVERY_S = 5.0
BAR_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Job:
    """What a job's body gets."""

    settings: Settings
    args: argparse.Namespace
    ds: str
    run_id: str

    @property
    def run_dir(self) -> Path:
        """Where this run leaves its files."""
        return self.settings.paths.runs / self.ds / self.run_id


def run_job(
    name: str,
    body: Callable[[Job], str],
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None,
    argv: list[str] | None = None,
) -> int:
    """Run `body`, which returns its one-line summary; the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m jobs.{name}", description=body.__doc__)
    parser.add_argument("--ds", help="logical date, YYYY-MM-DD (default: the demo's)")
    parser.add_argument("--run-id", default="manual", help="run that this step belongs to")
    if add_arguments:
        add_arguments(parser)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for noisy in ("py4j", "vllm", "alembic", "mlflow", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    started = time.monotonic()
    try:
        settings = load_settings()
        job = Job(settings, args, _date(args.ds or str(settings.demo.ds)), _identifier(args.run_id))
        summary = body(job)
    except RecThinkerError as error:
        logging.getLogger(f"jobs.{name}").debug("failed", exc_info=True)
        return _failed(name, error)
    except OSError as error:
        _last_line(f"{name} failed: {type(error).__name__}: {error}")
        return EXIT_RETRY
    seconds = time.monotonic() - started
    if not getattr(args, "dry_run", False):
        _record_stage(job.run_dir, name, args, seconds, summary)
    _last_line(f"{name} done in {seconds:.1f} s: {summary}")
    return 0


def main(
    name: str,
    body: Callable[[Job], str],
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    """`run_job` as a process: leave at once with its exit code, whatever a library still holds."""
    threading.excepthook = partial(_end_with_thread, name)
    _leave(run_job(name, body, add_arguments))


def run_stage(job: Job, stage: str, make: Callable[[RetrainPlan, Settings], StageResult]) -> str:
    """Do a stage of a retraining as its plan has it, and log it; its summary, or why there is nothing to do.

    Args:
        make: does it, and leaves its result; what it needs of torch and TRL, which take ten seconds, it imports itself.
    """
    plan = RetrainPlan.read(job.run_dir)
    if why := why_not(plan, job.run_dir, stage):
        return why
    settings = plan.apply(job.settings)
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.training.threads))
    result = make(plan, settings)
    log_result(settings, plan, result)
    return result.summary


class Reporter:
    """A progress bar for a new stage, then one every five seconds, each on a line of its own: it may go to a log."""

    def __init__(self, watched: str = "loss") -> None:
        self._watched = watched
        self._stage = ""
        self._next = 0.0

    def __call__(self, stage: str, done: int, total: int, value: float | None) -> None:
        now = time.monotonic()
        if stage != self._stage or now >= self._next or done == total:
            self._stage, self._next = stage, now + PROGRESS_EVERY_S
            full = BAR_WIDTH * done // max(total, 1)
            tail = "" if value is None else f", {self._watched} {value:.3f}"
            print(f"{stage:<13} {'█' * full}{'░' * (BAR_WIDTH - full)} {done}/{total}{tail}", flush=True)


def _end_with_thread(name: str, raised: threading.ExceptHookArgs) -> None:
    """End the job with an error that a thread of its own raised: one that watches what the job waits for."""
    if isinstance(raised.exc_value, RecThinkerError):
        _leave(_failed(name, raised.exc_value))
    threading.__excepthook__(raised)


def _leave(code: int) -> None:
    """End this process and those that it started, such as an engine's, without waiting for any thread."""
    sys.stdout.flush()
    sys.stderr.flush()
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(code)


def _failed(name: str, error: RecThinkerError) -> int:
    """Say what failed; the exit code."""
    _last_line(f"{name} failed: {type(error).__name__}: {error}")
    return EXIT_RETRY if error.retryable else EXIT_NO_RETRY


def _last_line(text: str) -> None:
    sys.stderr.flush()
    print(" ".join(text.split()), flush=True)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ConfigError(f"--ds should be a date as YYYY-MM-DD, found {text!r}") from error


def _identifier(text: str) -> str:
    """A run id as a folder name: everything but letters, digits, `.`, `_`, `-` becomes `_`."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)


def _record_stage(run_dir: Path, name: str, args: argparse.Namespace, seconds: float, summary: str) -> None:
    # What tells apart the calls of a job in one run.
    part = getattr(args, "shard", getattr(args, "alias", None))
    path = run_dir / "stages" / (f"{name}.json" if part is None else f"{name}-{part}.json")
    stage = {"stage": path.stem, "seconds": round(seconds, 3), "summary": summary, "ended_at": time.time()}
    write_json(path, stage)
