"""What the batch driver needs of an engine: requests go in one by one, finished ones come out of `step()`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from recthinker.agent import Generate, Generated


@dataclass(frozen=True, slots=True)
class KvCache:
    """Memory for the tokens of live requests; only whole blocks are shared between requests."""

    blocks: int
    block_size: int
    """Tokens."""


class Engine(Protocol):
    """An engine that works on many requests at once."""

    @property
    def kv_cache(self) -> KvCache | None:
        """What live requests share; None = without bound."""
        ...

    def prime(self, token_ids: Sequence[int]) -> None:
        """Compute a prefix that all requests to come have in common, or each of the first would.

        Raises:
            EngineError: as `step`.
        """
        ...

    def add(self, request_id: str, request: Generate, *, seed: int, priority: int = 0) -> None:
        """Take a request; ids are unique among the live ones, and lower priorities go first.

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
