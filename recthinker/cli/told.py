"""How far a job says it is: the line that it prints, read again.

Jobs print `name: done/total unit, more` every few seconds; under Airflow `[job] ` stands before it.
"""

import re
from dataclasses import dataclass

_LINE = re.compile(r"^(?P<name>[a-z][a-z0-9 _-]*?)(?:: | +[█░]+ )(?P<done>\d+)/(?P<total>\d+)(?P<more>.*)")


@dataclass(frozen=True, slots=True)
class Told:
    """How far a job is."""

    job: str
    """The job, and what it works on: `infer_shard 1`."""
    name: str
    """What is counted, in the job's words: `shard 1`."""
    done: int
    total: int
    more: str
    """What else the line says: rates, counts."""
    line: str
    """The line itself."""


def read_progress(text: str, job: str) -> Told | None:
    """What a line of `job` tells; None where it tells of no progress."""
    line = _LINE.match(text)
    if line is None:
        return None
    return Told(job, line["name"], int(line["done"]), int(line["total"]), line["more"].strip(" ,"), text)
