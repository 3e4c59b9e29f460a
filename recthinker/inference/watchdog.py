"""Notices an engine that hangs: its process lives, and a step does not return.

Nothing in Python can interrupt a call that is blocked outside of it. So the watchdog's thread raises, and whoever owns
the process decides (`threading.excepthook`): a job ends it. A call that holds the GIL is out of reach; torch's do not.
"""

import time
from threading import Thread

from recthinker.errors import EngineError

LOOKS = 20
"""Looks in the time that a step may take."""


class Watchdog:
    """`with watchdog:` around each step; its thread raises an EngineError once a step took too long.

    Args:
        timeout_s: seconds that a step may take.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._since: float | None = None
        Thread(target=self._watch, name="engine watchdog", daemon=True).start()

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._since = None

    def _watch(self) -> None:
        while True:
            time.sleep(self._timeout_s / LOOKS)
            since = self._since
            waited = 0.0 if since is None else time.monotonic() - since
            if waited > self._timeout_s:
                raise EngineError(
                    f"the engine hangs: an engine step should return within {self._timeout_s:g} s "
                    f"(inference.engine_timeout_s), one has not for {waited:.0f} s; committed parts stay, and a retry "
                    "goes on after them"
                )
