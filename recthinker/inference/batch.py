"""The batch driver: a sliding window of live episodes over one engine.

A finished turn's tool runs at once and the next turn goes back in; nobody waits for the slowest (no lock-step waves).
A fault of one episode is that episode's outcome; a fault of the engine ends the batch.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from recthinker.agent import Agent, Episode, Generated, Outcome, StopReason
from recthinker.errors import EngineError
from recthinker.inference.engine import Engine
from recthinker.lookup import ItemRows, RequestRow

logger = logging.getLogger(__name__)

FINISHED_AT_ONCE = 256
"""Episodes handed on before more are begun: those that need no engine do not heap up."""
SWEEP_STEPS = 64
"""Engine steps between two looks for episodes that are out of time."""


@dataclass(slots=True)
class _Live:
    episode: Episode
    deadline: float
    started: float
    turn: int = 0


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
        max_in_flight: episodes alive at once.
        known: gives the ended episode of a request that the engine need not be asked for.

    Raises:
        EngineError: the engine died.
    """
    waiting = iter(requests)
    live: dict[str, _Live] = {}
    finished: list[Episode] = []
    steps = 0
    is_drained = False
    while live or not is_drained:
        while not is_drained and len(live) < max_in_flight and len(finished) < FINISHED_AT_ONCE:
            request = next(waiting, None)
            if request is None:
                is_drained = True
                break
            episode = _begun(agent, items, request, known)
            now = time.monotonic()
            _go_on(engine, _Live(episode, now + agent.settings.timeout_s, now), live, finished)
        if live:
            for request_id, generated in engine.step():
                _advance(engine, request_id, generated, live, finished)
            steps += 1
            if steps % SWEEP_STEPS == 0:
                _sweep(engine, live, finished)
        yield from finished
        finished.clear()


def request_seed(key: str, turn: int, seed: int) -> int:
    """The sampling seed of one turn: results do not depend on who else is in flight."""
    return int.from_bytes(hashlib.blake2b(f"{seed}|{key}|{turn}".encode(), digest_size=4).digest(), "big") >> 1


def _begun(
    agent: Agent, items: ItemRows, request: RequestRow, known: Callable[[RequestRow], Episode | None]
) -> Episode:
    try:
        return known(request) or Episode.start(agent, items, request)
    except Exception as error:  # noqa: BLE001 - as in `_advance`
        logger.warning("episode could not begin key=%s error=%r", request.key, error)
        return Episode.failed(agent, items, request, error)


def _go_on(engine: Engine, state: _Live, live: dict[str, _Live], finished: list[Episode]) -> None:
    """Submit an episode's next turn, or finish it."""
    episode = state.episode
    if not episode.is_done:
        key = episode.scene.request.key
        request_id = f"{key}:{state.turn}"
        try:
            seed = request_seed(key, state.turn, episode.agent.settings.seed)
            engine.add(request_id, episode.next_request(), seed=seed)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - as in `_advance`
            _fail(episode, error)
        else:
            live[request_id] = state
            state.turn += 1
            return
    episode.seconds = time.monotonic() - state.started
    finished.append(episode)


def _fail(episode: Episode, error: Exception) -> None:
    logger.warning("episode failed key=%s error=%r", episode.scene.request.key, error)
    episode.fall_back(Outcome.FALLBACK_ERROR, StopReason.ERROR, repr(error))


def _advance(
    engine: Engine, request_id: str, generated: Generated, live: dict[str, _Live], finished: list[Episode]
) -> None:
    """Let an episode act on what was generated, then submit its next turn or finish it."""
    state = live.pop(request_id)
    episode = state.episode
    try:
        episode.observe(generated)
    except EngineError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever one user's data sets off costs that user a fallback, not the batch
        _fail(episode, error)
    _go_on(engine, state, live, finished)


def _sweep(engine: Engine, live: dict[str, _Live], finished: list[Episode]) -> None:
    """End the episodes that are out of time."""
    now = time.monotonic()
    late = [request_id for request_id, state in live.items() if state.deadline < now]
    engine.abort(late)
    for request_id in late:
        state = live.pop(request_id)
        state.episode.seconds = now - state.started
        state.episode.fall_back(Outcome.FALLBACK_TIMEOUT, StopReason.TIMEOUT)
        finished.append(state.episode)
