"""Which episode goes on first, how many live, and that results depend on neither."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from recthinker.agent import Agent, Episode, Generate, Generated, Outcome
from recthinker.inference import ScriptedEngine, batch, run_episodes
from recthinker.inference.batch import _Window
from recthinker.inference.engine import KvCache
from recthinker.inference.scripted import Planner
from recthinker.lookup import RequestRow, Snapshot
from tests import little_world as world

BLOCK = 16


class Small(ScriptedEngine):
    """Holds few blocks and answers one request a step; notes what it was asked to do and how full it was."""

    def __init__(self, agent: Agent, blocks: int) -> None:
        super().__init__(Planner(agent.chat, agent.toolbox.tools))
        self.kv_cache = KvCache(blocks, BLOCK)  # type: ignore[assignment]
        self.primed: list[Sequence[int]] = []
        self.priorities: dict[str, int] = {}
        self.added: list[str] = []
        self.prompts: dict[str, list[int]] = {}
        self.fullest = 0
        self.most = 0

    def prime(self, token_ids: Sequence[int]) -> None:
        self.primed.append(token_ids)

    def add(self, request_id: str, request: Generate, *, seed: int, priority: int = 0) -> None:
        super().add(request_id, request, seed=seed)
        self.priorities[request_id] = priority
        self.added.append(request_id)
        self.prompts[request_id] = list(request.token_ids)
        self.most = max(self.most, len(self._requests))
        shared = len(self.primed[0]) // BLOCK
        grown = [len(asked.token_ids) + asked.max_tokens for asked in self._requests.values()]
        self.fullest = max(self.fullest, shared + sum(-(-tokens // BLOCK) - shared for tokens in grown))

    def step(self) -> list[tuple[str, Generated]]:
        request_id = next(iter(self._requests))
        return [(request_id, self._write(request_id, self._requests.pop(request_id)))]


def asked(snapshot: Snapshot, copies: int) -> list[RequestRow]:
    """Every user of the little world several times, each with a key, and so a candidate order, of its own."""
    rows = [snapshot.request(key) for key in world.HISTORIES]
    return [replace(row, key=f"{row.key}{copy}") for copy in range(copies) for row in rows]


def rankings(engine: ScriptedEngine, agent: Agent, snapshot: Snapshot, rows: Iterable[RequestRow]) -> dict[str, object]:
    episodes = run_episodes(engine, agent, snapshot.items, rows, max_in_flight=64)
    return {episode.scene.request.key: (episode.outcome, episode.ranking()) for episode in episodes}


def test_the_kv_cache_bounds_who_lives_and_changes_nobodys_ranking(agent: Agent, snapshot: Snapshot) -> None:
    rows = asked(snapshot, 8)
    roomy, tight = Small(agent, 10_000), Small(agent, 40)

    expected = rankings(roomy, agent, snapshot, rows)

    assert rankings(tight, agent, snapshot, rows) == expected
    assert len(expected) == 32
    assert tight.fullest <= 40 < roomy.fullest
    assert 1 < tight.most < roomy.most == 32


def test_a_cache_for_one_episode_alone_is_enough(agent: Agent, snapshot: Snapshot) -> None:
    rows = asked(snapshot, 1)
    assert rankings(Small(agent, 1), agent, snapshot, rows) == rankings(Small(agent, 999), agent, snapshot, rows)


def test_who_has_taken_more_turns_goes_first_and_who_answers_before_all(agent: Agent, snapshot: Snapshot) -> None:
    engine = Small(agent, 10_000)
    rankings(engine, agent, snapshot, [snapshot.request("ann")])
    turns = [engine.priorities[f"ann:{turn}"] for turn in range(len(engine.priorities))]
    # One call fewer to come with every call made; 0 for the answer.
    assert turns[0] == agent.settings.max_calls + 1
    assert turns[:-1] == list(range(turns[0], turns[0] - len(turns) + 1, -1))
    assert turns[-1] == 0


def test_nobody_begins_while_a_begun_episode_waits_for_room(agent: Agent, snapshot: Snapshot) -> None:
    window = _Window(Small(agent, 1), agent)
    for key in ("ann", "bob"):
        assert window.has_room(64)
        window.enter(Episode.start(agent, snapshot.items, snapshot.request(key)))
    # ann alone has the cache; bob waits.
    assert not window.has_room(64)


def test_the_shared_prefix_is_computed_once_and_only_where_somebody_runs(agent: Agent, snapshot: Snapshot) -> None:
    engine = Small(agent, 10_000)
    rankings(engine, agent, snapshot, asked(snapshot, 2))
    assert engine.primed == [agent.system_ids]
    nobody = Small(agent, 10_000)
    rankings(nobody, agent, snapshot, [])
    assert not nobody.primed


def test_prompts_that_begin_alike_run_side_by_side(agent: Agent, snapshot: Snapshot) -> None:
    engine = Small(agent, 10_000)
    rankings(engine, agent, snapshot, asked(snapshot, 8))
    prompts = [engine.prompts[request_id] for request_id in engine.added if request_id.endswith(":0")]
    assert len(prompts) == 32
    assert prompts == sorted(prompts)


@pytest.mark.parametrize(("patience", "live_at_first_step"), [(2, 2), (16, 4)])
def test_of_a_night_on_which_few_changed_the_engine_works_for_many_at_once(
    agent: Agent, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch, patience: int, live_at_first_step: int
) -> None:
    monkeypatch.setattr(batch, "LOOK_AHEAD", 4)
    monkeypatch.setattr(batch, "PATIENCE", patience)
    live: list[int] = []

    class Counting(Small):
        def step(self) -> list[tuple[str, Generated]]:
            live.append(len(self._requests))
            return super().step()

    def known(request: RequestRow) -> Episode | None:
        is_new = request.user_id == "ann"  # one of four
        return None if is_new else Episode.failed(agent, snapshot.items, request, ValueError("known"))

    rows = asked(snapshot, 4)
    episodes = list(run_episodes(Counting(agent, 10_000), agent, snapshot.items, rows, max_in_flight=64, known=known))

    assert sorted(episode.scene.request.key for episode in episodes) == sorted(row.key for row in rows)
    assert live[0] == live_at_first_step


class Stuck(Small):
    """Never finishes a request."""

    def step(self) -> list[tuple[str, Generated]]:
        return []


def test_an_episode_that_waits_for_room_runs_out_of_time_too(agent: Agent, snapshot: Snapshot) -> None:
    hurried = Agent(agent.chat, agent.toolbox, agent.settings.model_copy(update={"timeout_s": 1e-6}))
    engine = Stuck(agent, 1)
    done = rankings(engine, hurried, snapshot, asked(snapshot, 1))
    assert [outcome for outcome, _ in done.values()] == [Outcome.FALLBACK_TIMEOUT] * 4  # type: ignore[misc]
    # One runs and one waits, twice: who waited is not asked for when it is too late.
    assert len(engine.added) == 2
