"""vLLM at work on turns that are known beforehand: the model writes as many tokens as a planned turn has, and the
plan's tokens take their place.

So episodes have the calls that a measurement is about, without a trained model, and the engine does the work of a real
night: every prompt token that is not cached, every written token, every label's score. As the next turn reads other
tokens than were written, it computes them a second time: figures are slightly worse than those of a real model.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from recthinker.agent import CompactFormat, Generate, Generated
from recthinker.inference.engine import KvCache
from recthinker.inference.vllm_engine import VllmEngine
from recthinker.tools import ToolCall

Plan = Callable[[str], Sequence[str]]
"""The tools that the episode of a request calls, in order, before it answers."""


@dataclass(slots=True)
class Step:
    """One step of the engine."""

    seconds: float
    sequences: int
    """Requests in the engine."""
    prefilled: int = 0
    """Prompt tokens computed for the requests that came in before it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the driver made it, and what it cost."""

    request: Generate
    computed: int
    """Prompt tokens that were not cached."""
    generated: int


class Puppet:
    """The engine's protocol over a `VllmEngine`; notes every step and request."""

    def __init__(self, inner: VllmEngine, chat: CompactFormat) -> None:
        self.inner = inner
        self.chat = chat
        self.plan: Plan = lambda key: ()
        self.steps: list[Step] = []
        self.asked: list[Asked] = []
        self._live: dict[str, tuple[int, Generate, list[int]]] = {}

    @property
    def kv_cache(self) -> KvCache | None:
        """Of the engine within."""
        return self.inner.kv_cache

    def restart(self, plan: Plan) -> None:
        """Forget what is cached and noted; the next episodes follow `plan`."""
        # Not part of the engine's protocol: only a measurement wants a cold cache.
        self.inner._engine.reset_prefix_cache()
        self.plan = plan
        self.steps.clear()
        self.asked.clear()

    def prime(self, token_ids: Sequence[int]) -> None:
        """As the engine within."""
        self.inner.prime(token_ids)

    def add(self, request_id: str, request: Generate, *, seed: int, priority: int = 0) -> None:
        """Ask for as many tokens as the planned turn has; for the answer, as the driver asks."""
        key, _, turn = request_id.rpartition(":")
        written: list[int] = []
        if not request.score_ids:
            tools = self.plan(key)
            known, call = tools[: int(turn)], tools[int(turn) : int(turn) + 1]
            written = self.chat.turn(known, ToolCall(call[0]) if call else None)
            request = replace(request, max_tokens=len(written), stop_ids=())
        self._live[request_id] = (len(self.steps), request, written)
        self.inner.add(request_id, request, seed=seed, priority=priority)

    def step(self) -> list[tuple[str, Generated]]:
        """One step of the engine within, its tokens replaced by the plan's."""
        step = Step(0.0, len(self._live))
        self.steps.append(step)
        started = time.monotonic()
        finished = self.inner.step()
        step.seconds = time.monotonic() - started
        return [(request_id, self._planned(request_id, generated)) for request_id, generated in finished]

    def abort(self, request_ids: Iterable[str]) -> None:
        """As the engine within."""
        self.inner.abort(request_ids)

    def _planned(self, request_id: str, generated: Generated) -> Generated:
        number, request, written = self._live.pop(request_id)
        computed = len(request.token_ids) - generated.cached_tokens
        self.asked.append(Asked(request, computed, len(generated.token_ids)))
        self.steps[min(number, len(self.steps) - 1)].prefilled += computed
        return replace(generated, token_ids=written) if written else generated
