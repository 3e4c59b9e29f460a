"""Jobs as child processes: every line goes to a log file, the lines meant for people are also shown as they
come.
"""

import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from recthinker.errors import JobError

SHOWN_ON_FAILURE = 15
_LABEL = re.compile(r"^\[([a-z_]+(?: [^\]]*)?)\] ")
_PROGRESS = re.compile(r"^[a-z][a-z0-9 _-]*(?:: | [█░]+ )\d+/\d+")
_LOG_LINE = re.compile(r"^[\d-]{10} [\d:,]+ (?:INFO|WARNING|ERROR|CRITICAL) (?:recthinker|jobs)\S* (.*)")


def run_job(name: str, *arguments: str, log: Path, show: Callable[[str], None]) -> str:
    """Run `python -m jobs.<name>` to its end; its last line, the summary.

    Raises:
        JobError: it failed.
    """
    label = " ".join([name, *(a for a in arguments if a.isdigit())])
    return run_child([sys.executable, "-m", f"jobs.{name}", *arguments], label=label, log=log, show=show)


def run_child(argv: Sequence[str], *, label: str, log: Path, show: Callable[[str], None]) -> str:
    """Run `argv` to its end, appending what it writes to `log` and showing what people want to read; its last
    line.

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
            if text := readable(line, label):
                show(text)
    if child.returncode:
        raise JobError(
            f"{label} exited {child.returncode}; all it wrote is in {log}, the end of it:\n" + "\n".join(tail)
        )
    return tail[-1] if tail else ""


def readable(line: str, label: str) -> str | None:
    """`line` as people want to read it, or None: the project's own log lines and the jobs' last lines, with
    the job's name.

    A line may start with `[job]`, as the DAGs write it; then that names the job instead of `label`.
    """
    named = _LABEL.match(line)
    job, text = (named[1], line[named.end() :].strip()) if named else (label, line.strip())
    if logged := _LOG_LINE.match(text):
        return f"{job}: {logged[1]}"
    if _PROGRESS.match(text):
        return f"{job}: {text}"
    name = job.split()[0]
    is_last = text.startswith((f"{name} done in ", f"{name} failed: "))
    return f"{job}: {text.removeprefix(name).strip()}" if is_last else None
