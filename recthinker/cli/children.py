"""Jobs as child processes: every line goes to a log file, the lines meant for people are also shown as they
come, and those that tell how far a job is are read.
"""

import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from recthinker.cli.told import Told, read_progress
from recthinker.errors import JobError

SHOWN_ON_FAILURE = 15
_LABEL = re.compile(r"^\[([a-z_]+(?: [^\]]*)?)\] ")
_LOG_LINE = re.compile(r"^[\d-]{10} [\d:,]+ (?:INFO|WARNING|ERROR|CRITICAL) (?:recthinker|jobs)\S* (.*)")


def run_job(
    name: str,
    *arguments: str,
    log: Path,
    show: Callable[[str], None],
    tell: Callable[[Told], None] | None = None,
) -> str:
    """Run `python -m jobs.<name>` to its end; its last line, the summary.

    Raises:
        JobError: it failed.
    """
    label = " ".join([name, *(a for a in arguments if a.isdigit())])
    return run_child([sys.executable, "-m", f"jobs.{name}", *arguments], label=label, log=log, show=show, tell=tell)


def run_child(
    argv: Sequence[str],
    *,
    label: str,
    log: Path,
    show: Callable[[str], None],
    tell: Callable[[Told], None] | None = None,
) -> str:
    """Run `argv` to its end, appending what it writes to `log` and showing what people want to read; its last
    line.

    Args:
        argv: command line of the child.
        label: its name, for people.
        log: file that everything goes to.
        show: called with each line that people want to read.
        tell: called with what the lines say of how far a job is, instead of `show`; None: these are shown too.

    Raises:
        JobError: it failed; the message names the log and ends with the child's last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    tail: deque[str] = deque(maxlen=SHOWN_ON_FAILURE)
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child,
    ):
        assert child.stdout is not None
        for line in child.stdout:
            file.write(line)
            file.flush()
            tail.append(line.rstrip())
            if tell and (told := progress(line, label)):
                tell(told)
            elif text := readable(line, label):
                show(text)
    if child.returncode:
        raise JobError(
            f"{label} exited {child.returncode}; all it wrote is in {log}, the end of it:\n" + "\n".join(tail)
        )
    return tail[-1] if tail else ""


def progress(line: str, label: str) -> Told | None:
    """How far `line` says that a job is; None where it does not say."""
    job, text = _named(line, label)
    return read_progress(text, job)


def readable(line: str, label: str) -> str | None:
    """`line` as people want to read it, or None: the project's own log lines, how far a job is, and the jobs' last
    lines, with the job's name.

    A line may start with `[job]`, as the DAGs write it; then that names the job instead of `label`.
    """
    job, text = _named(line, label)
    if logged := _LOG_LINE.match(text):
        return f"{job}: {logged[1]}"
    if read_progress(text, job):
        return f"{job}: {text}"
    name = job.split()[0]
    is_last = text.startswith((f"{name} done in ", f"{name} failed: "))
    return f"{job}: {text.removeprefix(name).strip()}" if is_last else None


def _named(line: str, label: str) -> tuple[str, str]:
    """The job that a line is of, and what it says."""
    named = _LABEL.match(line)
    return (named[1], line[named.end() :].strip()) if named else (label, line.strip())
