"""The batch driver: a sliding window of live episodes over one engine.

A finished turn's tool runs at once and the next turn goes back in; nobody waits for the slowest (no lock-step waves).
Episodes nearer their end go first, and a new one begins only when no other waits for room in the KV cache. A fault of
one episode is that episode's outcome; a fault of the engine ends the batch.
"""

import hashlib
import heapq
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice

from recthinker.agent import Agent, Episode, Generate, Generated, Outcome, StopReason
from recthinker.errors import EngineError
from recthinker.inference.engine import Engine
from recthinker.inference.kv_budget import KvBudget
from recthinker.lookup import ItemRows, RequestRow

logger = logging.getLogger(__name__)

LOOK_AHEAD = 256
"""Episodes begun together, so that those whose prompts begin alike run side by side and share what is computed; also
those handed on before more begin."""
PATIENCE = 16
"""Times that more are begun before the engine works though it could take more: on a night on which few changed it would
else work for a handful at once."""
SWEEP_STEPS = 64
"""Engine steps between two looks for episodes that are out of time."""


@dataclass(order=True, slots=True)
class _Live:
    """A live episode; the order is that in which they go on: nearest their end first, then oldest."""

    turns_left: int = field(init=False, default=0)
    """Turns that it may still take before its answer."""
    number: int
    episode: Episode = field(compare=False)
    turn: int = field(init=False, compare=False, default=0)
    started: float = field(init=False, compare=False, default_factory=time.monotonic)

    def look_ahead(self) -> None:
        """Set `turns_left`."""
        episode = self.episode
        self.turns_left = 0 if episode.is_answering else 1 + episode.agent.settings.max_calls - len(episode.calls)


def run_episodes(
    engine: Engine,
    agent: Agent,
    items: ItemRows,
    requests: Iterable[RequestRow],
    *,
    max_in_flight: int,
    known: Callable[[RequestRow], Episode | None] = lambda request: None,
) -> Iterator[Episode]:
    """Every request's episode, in the order in which they finish.

    Args:
        engine: that writes the agent's turns.
        agent: what all episodes share.
        items: of the snapshot.
        requests: whom to rank for.
        max_in_flight: episodes alive at once; fewer where the KV cache holds no more.
        known: gives the ended episode of a request that the engine need not be asked for.

    Raises:
        EngineError: the engine died.
    """
    window = _Window(engine, agent)
    waiting = iter(requests)
    begun: deque[Episode] = deque()
    rounds = 0
    while True:
        if not begun:
            asked = islice(waiting, LOOK_AHEAD)
            begun.extend(_side_by_side([_begun(agent, items, request, known) for request in asked]))
            rounds = rounds + 1 if begun else PATIENCE
        while begun and (begun[0].is_done or window.has_room(max_in_flight)):
            window.enter(begun.popleft())
        if begun or rounds >= PATIENCE:
            window.step()
            rounds = 0
        if window.is_empty and not begun and not window.finished:
            return
        yield from window.finished
        window.finished.clear()


def request_seed(key: str, turn: int, seed: int) -> int:
    """The sampling seed of one turn: results do not depend on who else is in flight."""
    return int.from_bytes(hashlib.blake2b(f"{seed}|{key}|{turn}".encode(), digest_size=4).digest(), "big") >> 1


def _begun(
    agent: Agent, items: ItemRows, request: RequestRow, known: Callable[[RequestRow], Episode | None]
) -> Episode:
    try:
        return known(request) or Episode.start(agent, items, request)
    except Exception as error:  # noqa: BLE001 - whatever one user's data sets off costs that user a fallback, not the batch
        logger.warning("episode could not begin key=%s error=%r", request.key, error)
        return Episode.failed(agent, items, request, error)


def _side_by_side(episodes: list[Episode]) -> list[Episode]:
    """Episodes with prompts that begin alike beside each other; first those that have ended."""
    return sorted(episodes, key=lambda episode: () if episode.is_done else (episode.ids,))


class _Window:
    """The live episodes: each has a request in the engine, or waits for room in the KV cache (`held`)."""

    def __init__(self, engine: Engine, agent: Agent) -> None:
        self.finished: list[Episode] = []
        self._engine = engine
        self._shared = agent.system_ids
        self._budget = KvBudget(engine.kv_cache, len(self._shared))
        self._running: dict[str, _Live] = {}
        self._held: list[_Live] = []
        self._numbers = count()
        self._steps = 0
        self._is_primed = False

    @property
    def is_empty(self) -> bool:
        """Whether no episode lives."""
        return not self._running and not self._held

    def has_room(self, most: int) -> bool:
        """Whether one more may begin."""
        return not self._held and len(self._running) < most

    def enter(self, episode: Episode) -> None:
        """Take an episode that has begun, and may have ended."""
        if not episode.is_done and not self._is_primed:
            self._engine.prime(self._shared)
            self._is_primed = True
        self._go_on(_Live(next(self._numbers), episode))
        self._resume()

    def step(self) -> None:
        """Let the engine work a little, and the episodes act on what it wrote."""
        for request_id, generated in self._engine.step() if self._running else ():
            self._budget.give(request_id)
            self._advance(self._running.pop(request_id), generated)
        self._resume()
        self._steps += 1
        if self._steps % SWEEP_STEPS == 0:
            self._sweep()

    def _advance(self, state: _Live, generated: Generated) -> None:
        """Let an episode act on what was generated."""
        try:
            state.episode.observe(generated)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - as in `_begun`
            _fail(state.episode, error)
        self._go_on(state)

    def _go_on(self, state: _Live) -> None:
        """Put an episode's next turn where it waits for room, or finish it."""
        if state.episode.is_done:
            state.episode.seconds = time.monotonic() - state.started
            self.finished.append(state.episode)
        else:
            state.look_ahead()
            heapq.heappush(self._held, state)

    def _resume(self) -> None:
        """Submit what waits, as far as there is room."""
        while self._held:
            episode, turn = self._held[0].episode, self._held[0].turn
            request, request_id = episode.next_request(), f"{episode.scene.request.episode_key}:{turn}"
            if not self._budget.take(request_id, len(request.token_ids) + request.max_tokens):
                return
            self._submit(heapq.heappop(self._held), request_id, request)

    def _submit(self, state: _Live, request_id: str, request: Generate) -> None:
        episode = state.episode
        seed = request_seed(episode.scene.request.episode_key, state.turn, episode.agent.settings.seed)
        try:
            self._engine.add(request_id, request, seed=seed, priority=state.turns_left)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - as in `_begun`
            self._budget.give(request_id)
            _fail(episode, error)
            self._go_on(state)
            return
        self._running[request_id] = state
        state.turn += 1

    def _sweep(self) -> None:
        """End the episodes that are out of time."""
        now = time.monotonic()
        late = [request_id for request_id, state in self._running.items() if _is_late(state, now)]
        self._engine.abort(late)
        for request_id in late:
            self._budget.give(request_id)
            self._end_late(self._running.pop(request_id))
        for state in [state for state in self._held if _is_late(state, now)]:
            self._held.remove(state)
            self._end_late(state)
        heapq.heapify(self._held)

    def _end_late(self, state: _Live) -> None:
        state.episode.fall_back(Outcome.FALLBACK_TIMEOUT, StopReason.TIMEOUT)
        self._go_on(state)


def _is_late(state: _Live, now: float) -> bool:
    return now - state.started > state.episode.agent.settings.timeout_s


def _fail(episode: Episode, error: Exception) -> None:
    logger.warning("episode failed key=%s error=%r", episode.scene.request.key, error)
    episode.fall_back(Outcome.FALLBACK_ERROR, StopReason.ERROR, repr(error))
