"""What the batch driver needs of an engine: requests go in one by one, finished ones come out of `step()`."""

from collections.abc import Iterable
from typing import Protocol

from recthinker.agent import Generate, Generated


class Engine(Protocol):
    """An engine that works on many requests at once."""

    def add(self, request_id: str, request: Generate, *, seed: int) -> None:
        """Take a request; ids are unique among the live ones.

        Raises:
            EngineError: the engine cannot take requests.
            ValueError: it cannot take this one.
        """
        ...

    def step(self) -> list[tuple[str, Generated]]:
        """Work a little; the requests that finished.

        Raises:
            EngineError: the engine died; no episode is to blame.
        """
        ...

    def abort(self, request_ids: Iterable[str]) -> None:
        """Forget these requests."""
        ...
