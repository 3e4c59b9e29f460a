"""When the servers should end: a first Ctrl-C lets open runs end, a second one, or SIGTERM, does not."""

import signal
import threading
from types import FrameType


class Stopping:
    """What this process was told since it was made; takes the signals over."""

    def __init__(self) -> None:
        self.is_wanted = False
        """To end, when what is open has ended."""
        self.is_urgent = False
        """To end now."""
        self._told = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._take)

    def wait(self, seconds: float) -> None:
        """Pass the time; less of it when something is told."""
        self._told.wait(seconds)
        self._told.clear()

    def _take(self, number: int, _: FrameType | None) -> None:
        # A terminal that is closed, or whoever sends SIGTERM, does not wait for a night to end.
        self.is_urgent = self.is_wanted or number != signal.SIGINT
        self.is_wanted = True
        self._told.set()
