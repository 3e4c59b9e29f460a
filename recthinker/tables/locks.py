"""One build of a date at a time on this machine: a second one waits and says so.

The lock is a file's, held by the process: it ends with the process, however that ends. Runs on different machines meet
at the commit (`recthinker.tables.publishing`), where the second one fails.
"""

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recthinker.errors import ConfigError

logger = logging.getLogger(__name__)

SAY_EVERY_S = 30.0
POLL_S = 0.5


@contextmanager
def hold(path: Path, what: str, *, timeout_s: float) -> Iterator[None]:
    """Hold the lock file `path`, waiting for whoever holds it.

    Args:
        path: the lock file; it is made, and stays.
        what: what is locked, for messages.
        timeout_s: seconds to wait at most.

    Raises:
        ConfigError: another process still holds it after `timeout_s`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        started, said = time.monotonic(), -SAY_EVERY_S
        while not _take(file.fileno()):
            waited = time.monotonic() - started
            if waited >= timeout_s:
                raise ConfigError(
                    f"{what}: another process has been at it for more than {timeout_s:g} s; let it end or stop it, "
                    f"then run this again (lock file {path})"
                )
            if waited - said >= SAY_EVERY_S:
                logger.warning("waiting for another run what=%s waited_s=%.0f lock=%s", what, waited, path)
                said = waited
            time.sleep(POLL_S)
        yield


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
