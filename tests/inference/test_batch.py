from collections import Counter
from collections.abc import Iterable

import pytest

from recthinker.agent import Agent, CompactFormat, Generate, Generated, Outcome
from recthinker.errors import EngineError
from recthinker.inference import ScriptedEngine, run_episodes
from recthinker.inference.batch import request_seed
from recthinker.inference.scripted import Planner
from recthinker.lookup import Snapshot
from recthinker.settings import Settings, ToolSettings
from recthinker.tools import Scene, Toolbox, ToolCall, ToolResult
from recthinker.tools.co_interactions import CoInteractions
from tests import little_world as world


def scripted(agent: Agent) -> ScriptedEngine:
    return ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))


def run(engine: object, agent: Agent, snapshot: Snapshot, in_flight: int = 8) -> dict[str, tuple[Outcome, list[int]]]:
    rows = [snapshot.request(key) for key in world.HISTORIES]
    episodes = run_episodes(engine, agent, snapshot.items, rows, max_in_flight=in_flight)  # type: ignore[arg-type]
    return {
        e.scene.request.key: (e.outcome, [place for place, _ in e.ranking()])  # type: ignore[misc]
        for e in episodes
    }


def test_every_request_ends_with_an_outcome(agent: Agent, snapshot: Snapshot) -> None:
    done = run(scripted(agent), agent, snapshot)
    assert set(done) == set(world.HISTORIES)
    assert {outcome for outcome, _ in done.values()} == {Outcome.RANKED}


def test_the_planner_ranks_the_strongest_evidence_first(agent: Agent, snapshot: Snapshot) -> None:
    # ann's candidates: i4, i3, i5, i6; i3 follows what she saw last.
    assert run(scripted(agent), agent, snapshot)["ann"][1][0] == 1


@pytest.mark.parametrize("in_flight", [1, 2, 8])
def test_results_do_not_depend_on_the_number_in_flight(agent: Agent, snapshot: Snapshot, in_flight: int) -> None:
    assert run(scripted(agent), agent, snapshot, in_flight) == run(scripted(agent), agent, snapshot, 4)


class Slow(ScriptedEngine):
    """Answers one request a step, the newest first, and notes how many were in flight."""

    most = 0

    def step(self) -> list[tuple[str, Generated]]:
        self.most = max(self.most, len(self._requests))
        request_id, request = self._requests.popitem()
        return [(request_id, self._write(request_id, request))]


def test_a_finished_turn_goes_on_at_once_and_the_window_stays_full(agent: Agent, snapshot: Snapshot) -> None:
    engine = Slow(Planner(agent.chat, agent.toolbox.tools))
    assert len(run(engine, agent, snapshot, in_flight=2)) == 4
    assert engine.most == 2


class Garbled(CompactFormat):
    """Cannot write one result down."""

    def result(self, result: ToolResult) -> list[int]:
        if result.rows == 1:
            raise RuntimeError("boom")
        return super().result(result)


def test_one_users_fault_costs_that_user_a_fallback(agent: Agent, snapshot: Snapshot) -> None:
    done = run(scripted(agent), Agent(Garbled(agent.chat.tokenizer), agent.toolbox, agent.settings), snapshot)
    outcomes = Counter(outcome for outcome, _ in done.values())
    assert set(outcomes) == {Outcome.RANKED, Outcome.FALLBACK_ERROR}


class Broken(CoInteractions):
    """Raises for one user."""

    def __call__(self, scene: Scene, call: ToolCall, settings: ToolSettings) -> ToolResult:
        if scene.request.key == "bob":
            raise RuntimeError("boom")
        return super().__call__(scene, call, settings)


def test_a_broken_tool_is_told_to_the_agent_and_counted(agent: Agent, snapshot: Snapshot, settings: Settings) -> None:
    toolbox = Toolbox(settings.tools)
    toolbox.tools = {**toolbox.tools, "co_interactions": Broken()}
    rows = [snapshot.request(key) for key in world.HISTORIES]
    broken = Agent(agent.chat, toolbox, agent.settings)

    episodes = {
        e.scene.request.key: e for e in run_episodes(scripted(agent), broken, snapshot.items, rows, max_in_flight=4)
    }

    assert {episode.outcome for episode in episodes.values()} == {Outcome.RANKED}
    faults = {key: [called.result.fault for called in e.calls if called.result.fault] for key, e in episodes.items()}
    assert faults == {"ann": [], "bob": ["RuntimeError('boom')"], "cat": [], "dan": []}
    assert "the tool failed" in agent.chat.text(episodes["bob"].ids)


class Unrenderable(CompactFormat):
    """Cannot put one user's candidates into a prompt."""

    def user(self, scene: Scene, max_title_words: int) -> list[int]:
        if scene.request.key == "bob":
            raise UnicodeError("a title")
        return super().user(scene, max_title_words)


class Choosy(ScriptedEngine):
    """Refuses one user's second turn."""

    def add(self, request_id: str, request: Generate, *, seed: int, priority: int = 0) -> None:
        if request_id == "bob:1":
            raise ValueError("the prompt is too long")
        super().add(request_id, request, seed=seed)


def test_a_prompt_that_cannot_be_rendered_costs_that_user_a_fallback(agent: Agent, snapshot: Snapshot) -> None:
    chat = Unrenderable(agent.chat.tokenizer)
    done = run(scripted(agent), Agent(chat, agent.toolbox, agent.settings), snapshot)
    assert done["bob"] == (Outcome.FALLBACK_ERROR, [0, 1])
    assert {done[user][0] for user in ("ann", "cat", "dan")} == {Outcome.RANKED}


def test_a_request_that_the_engine_refuses_costs_that_user_a_fallback(agent: Agent, snapshot: Snapshot) -> None:
    done = run(Choosy(Planner(agent.chat, agent.toolbox.tools)), agent, snapshot)
    assert done["bob"][0] is Outcome.FALLBACK_ERROR
    assert {done[user][0] for user in ("ann", "cat", "dan")} == {Outcome.RANKED}


class Dead(ScriptedEngine):
    """Dies at the first step."""

    def step(self) -> list[tuple[str, Generated]]:
        raise EngineError("dead")


def test_a_dead_engine_ends_the_batch(agent: Agent, snapshot: Snapshot) -> None:
    with pytest.raises(EngineError, match="dead"):
        run(Dead(Planner(agent.chat, agent.toolbox.tools)), agent, snapshot)


class Stuck(ScriptedEngine):
    """Never finishes a request; notes what is aborted."""

    aborted: tuple[str, ...] = ()

    def step(self) -> list[tuple[str, Generated]]:
        return []

    def abort(self, request_ids: Iterable[str]) -> None:
        self.aborted += tuple(request_ids)


def test_an_episode_out_of_time_falls_back_and_is_aborted(agent: Agent, snapshot: Snapshot) -> None:
    hurried = Agent(agent.chat, agent.toolbox, agent.settings.model_copy(update={"timeout_s": 1e-6}))
    engine = Stuck(Planner(agent.chat, agent.toolbox.tools))
    done = run(engine, hurried, snapshot)
    assert {outcome for outcome, _ in done.values()} == {Outcome.FALLBACK_TIMEOUT}
    assert len(engine.aborted) == 4


def test_seeds_depend_on_user_and_turn_only() -> None:
    assert request_seed("ann", 0, 1) == request_seed("ann", 0, 1)
    assert len({request_seed("ann", 0, 1), request_seed("ann", 1, 1), request_seed("bob", 0, 1)}) == 3
