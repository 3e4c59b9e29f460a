"""What the live requests may hold of the engine's KV cache together.

A request is let in only when all that it can grow to fits beside those that are in: so the engine never has to throw a
running request out and compute its tokens a second time (preemption).
"""

from recthinker.inference.engine import KvCache


class KvBudget:
    """Blocks of the KV cache, taken by request and given back.

    Args:
        cache: of the engine; None = without bound.
        shared_tokens: length of the prefix that all requests have in common, whose whole blocks exist once.
    """

    def __init__(self, cache: KvCache | None, shared_tokens: int) -> None:
        self._cache = cache
        self._shared = shared_tokens // cache.block_size if cache else 0
        self._free = cache.blocks - self._shared if cache else 0
        self._taken: dict[str, int] = {}

    def take(self, request_id: str, tokens: int) -> bool:
        """Take what a request of that many tokens, prompt and answer, needs; False where it does not fit now.

        A request that is alone always fits: no engine starts with a cache too small for one of the longest.
        """
        if self._cache is None:
            return True
        blocks = max(-(-tokens // self._cache.block_size) - self._shared, 0)
        if blocks > self._free and self._taken:
            return False
        self._free -= blocks
        self._taken[request_id] = blocks
        return True

    def give(self, request_id: str) -> None:
        """Give back what a request took."""
        self._free += self._taken.pop(request_id, 0)
