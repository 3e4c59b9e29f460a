"""Ways to get episodes through an engine that only measurements use: lock-step waves, and requests without episodes."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from recthinker.agent import Agent, Episode
from recthinker.inference import run_episodes
from recthinker.inference.batch import request_seed
from recthinker.inference.vllm_engine import VllmEngine
from recthinker.lookup import RequestRow, Snapshot
from tests.benchmarks.agents.puppet import Asked, Plan, Puppet


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, and on how many tokens."""

    seconds: float
    episodes: int
    computed: int
    """Prompt tokens that were not cached."""
    generated: int

    @property
    def per_s(self) -> float:
        """Episodes a second."""
        return self.episodes / self.seconds

    @property
    def tokens_per_s(self) -> float:
        """Tokens that went through the model a second."""
        return (self.computed + self.generated) / self.seconds


def window(
    puppet: Puppet, agent: Agent, snapshot: Snapshot, rows: Sequence[RequestRow], plan: Plan, width: int
) -> Pace:
    """The pipeline's own driver, at most `width` episodes in flight."""
    puppet.restart(plan)
    started = time.monotonic()
    episodes = list(run_episodes(puppet, agent, snapshot.items, rows, max_in_flight=width))
    return _pace(puppet, time.monotonic() - started, len(episodes))


def waves(puppet: Puppet, agent: Agent, snapshot: Snapshot, rows: Sequence[RequestRow], plan: Plan, width: int) -> Pace:
    """`width` episodes at a time; a turn begins when all of the wave have ended the one before."""
    puppet.restart(plan)
    started = time.monotonic()
    puppet.prime(agent.system_ids)
    for first in range(0, len(rows), width):
        live = [Episode.start(agent, snapshot.items, row) for row in rows[first : first + width]]
        turn = 0
        while live:
            by_id = {f"{episode.scene.request.key}:{turn}": episode for episode in live}
            for request_id, episode in by_id.items():
                seed = request_seed(episode.scene.request.key, turn, agent.settings.seed)
                puppet.add(request_id, episode.next_request(), seed=seed)
            waiting = set(by_id)
            while waiting:
                for request_id, generated in puppet.step():
                    by_id[request_id].observe(generated)
                    waiting.remove(request_id)
            live = [episode for episode in live if not episode.is_done]
            turn += 1
    return _pace(puppet, time.monotonic() - started, len(rows))


def plain(engine: VllmEngine, asked: Sequence[Asked], episodes: int) -> Pace:
    """The requests of a run, in the order in which they ended there, as requests of one turn, all there from the start:
    the rate that the engine reaches on this work when nobody has to think of the next turn.

    The order keeps an episode's turns apart, so that a turn finds the one before in the cache, as in the run itself.
    Both compute about the same prompt tokens and write exactly the same number.
    """
    engine._engine.reset_prefix_cache()
    left = deque(asked)
    cached = prompt = generated = done = 0
    started = time.monotonic()
    for number, one in enumerate(left):
        request = one.request if one.request.score_ids else replace(one.request, stop_ids=())
        engine.add(str(number), request, seed=number)
        prompt += len(request.token_ids)
    while done < len(asked):
        for _, written in engine.step():
            cached += written.cached_tokens
            generated += len(written.token_ids)
            done += 1
    return Pace(time.monotonic() - started, episodes, prompt - cached, generated)


def _pace(puppet: Puppet, seconds: float, episodes: int) -> Pace:
    computed = sum(one.computed for one in puppet.asked)
    return Pace(seconds, episodes, computed, sum(one.generated for one in puppet.asked))
