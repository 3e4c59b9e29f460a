"""Rankings that are written out, from the engine to the rows, gone through again and replayed; hermes alike."""

from dataclasses import replace
from pathlib import Path

import pytest

from recthinker.agent import Agent, Episode, Generate, Generated, HermesFormat, Outcome, StopReason
from recthinker.agent.record import recommendation_table, trajectory_row
from recthinker.errors import ConfigError
from recthinker.inference import ScriptedEngine, run_episodes
from recthinker.inference.earlier import again
from recthinker.inference.engines import open_engine
from recthinker.inference.replay import compare
from recthinker.inference.scripted import Planner
from recthinker.lookup import Snapshot
from recthinker.settings import Settings
from recthinker.tools import ToolCall
from tests import chatml
from tests import little_world as world


def lists(settings: Settings) -> Agent:
    agent = world.agent(settings)
    return replace(agent, settings=agent.settings.model_copy(update={"ranking": "generate"}))


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return world.snapshot(tmp_path / "s")


def run(engine: ScriptedEngine, agent: Agent, snapshot: Snapshot) -> dict[str, Episode]:
    rows = [snapshot.request(key) for key in world.HISTORIES]
    return {e.scene.request.key: e for e in run_episodes(engine, agent, snapshot.items, rows, max_in_flight=4)}


def planner(agent: Agent) -> Planner:
    return Planner(agent.chat, agent.toolbox.tools)


class Sloppy(ScriptedEngine):
    """Leaves out the last label of each list, and repeats the first; of bob's it writes none."""

    def _write(self, request_id: str, request: Generate) -> Generated:
        generated = super()._write(request_id, request)
        labels = generated.token_ids
        if request.token_ids[-1] != self._planner.chat.rank_id:
            return generated
        ids = labels[-1:] if request_id.startswith("bob") else [labels[0], *labels[:-2], labels[-1]]
        return Generated(ids, [0.0] * len(ids))


def test_a_written_list_ranks_as_the_labels_do(settings: Settings, snapshot: Snapshot) -> None:
    by_labels = run(ScriptedEngine(planner(world.agent(settings))), world.agent(settings), snapshot)
    agent = lists(settings)
    written = run(ScriptedEngine(planner(agent)), agent, snapshot)

    assert {episode.outcome for episode in written.values()} == {Outcome.RANKED}
    for user, episode in written.items():
        assert [place for place, _ in episode.ranking()] == [place for place, _ in by_labels[user].ranking()]
        assert [score for _, score in episode.ranking()] == [-float(n) for n in range(len(world.OFFERED[user]))]
        # Every label and the end; the logprobs of all of them are kept.
        assert sum(episode.mask) == sum(by_labels[user].mask) + len(world.OFFERED[user])


def test_a_list_that_is_nearly_one_is_repaired_and_none_is_a_fallback(settings: Settings, snapshot: Snapshot) -> None:
    agent = lists(settings)
    right, done = run(ScriptedEngine(planner(agent)), agent, snapshot), run(Sloppy(planner(agent)), agent, snapshot)

    assert (done["bob"].outcome, done["bob"].stop_reason) == (Outcome.FALLBACK_INVALID, StopReason.NO_ANSWER)
    assert done["ann"].outcome is Outcome.REPAIRED
    # One label of four is missing: it was last anyway.
    assert done["ann"].ranking() == right["ann"].ranking()
    row = trajectory_row(done["ann"], ds=world.DS, versions={})
    assert row["stop_reason"] == "answered: list of 4: 1 missing, 1 repeated, 0 no label"
    rows = recommendation_table([done["ann"]], ds=world.DS, model_version="m/1", run_id="r", top_n=4).to_pylist()
    assert {row["source"] for row in rows} == {"repaired"}


def test_a_recorded_list_stands_and_is_replayed(settings: Settings, snapshot: Snapshot, tmp_path: Path) -> None:
    agent = lists(settings)
    episode = run(ScriptedEngine(planner(agent)), agent, snapshot)["ann"]
    row = trajectory_row(episode, ds=world.DS, versions={})

    found = again(agent, snapshot.items, snapshot.request("ann"), row)
    assert found is not None
    assert (found.outcome, found.ranking()) == (Outcome.UNCHANGED, episode.ranking())
    assert compare(row, found).is_same
    other = world.snapshot(tmp_path / "o", titles={"i4": "Title 5"})
    assert again(agent, other.items, other.request("ann"), row) is None


@pytest.mark.parametrize("ranking", ["labels", "generate"])
@pytest.mark.parametrize("tokenizer", [chatml.qwen_like, chatml.smollm_like])
def test_a_recorded_hermes_episode_stands(
    settings: Settings, snapshot: Snapshot, ranking: str, tokenizer: object, tmp_path: Path
) -> None:
    limits = settings.agent.model_copy(update={"ranking": ranking, "max_episode_tokens": 4096, "max_turn_tokens": 200})
    chat = HermesFormat(tokenizer())  # type: ignore[operator]
    agent = Agent.build(chat, limits, settings.tools)
    episode = Episode.start(agent, snapshot.items, snapshot.request("ann"))
    labels = [chat.label_ids[label] for label in (1, 3, 0, 2)]
    for call in (ToolCall("co_interactions"), ToolCall("item_info", (9,)), None):
        write(episode, chat.turn([], call))
    write(episode, [*labels, chat.end_id] if ranking == "generate" else labels[:1], (-2.0, -0.5, -4.0, -1.0))

    assert episode.outcome is Outcome.RANKED
    assert [place for place, _ in episode.ranking()] == [int(episode.scene.order[label]) for label in (1, 3, 0, 2)]
    assert "no such label; there are 4 candidates" in chat.text(episode.ids)
    row = trajectory_row(episode, ds=world.DS, versions={})
    assert [turn["role"] for turn in row["turns"]] == ["prompt", "agent", "tool", "agent", "tool", "agent"]
    found = again(agent, snapshot.items, snapshot.request("ann"), row)
    assert found is not None
    assert found.ranking() == episode.ranking()
    other = world.snapshot(tmp_path / "o", titles={"i4": "Title 5"})
    assert again(agent, other.items, other.request("ann"), row) is None


def test_the_scripted_engine_says_that_it_cannot_write_hermes(settings: Settings, tmp_path: Path) -> None:
    agent = Agent.build(HermesFormat(chatml.qwen_like()), settings.agent, settings.tools)
    with pytest.raises(ConfigError, match=r"reads the compact format only, found hermes; set agent.chat_format"):
        open_engine(tmp_path, agent, settings)


def write(episode: Episode, ids: list[int], scores: tuple[float, ...] = ()) -> None:
    episode.observe(Generated(ids, [-0.5] * len(ids), scores=scores))
