from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from recthinker.agent import Agent, Episode, Generated, Outcome, StopReason, candidate_order
from recthinker.agent.record import reasons, recommendation_table, trajectory_row
from recthinker.lookup import Snapshot, nightly_requests, write_snapshot
from recthinker.settings import Settings
from recthinker.tools import ToolCall
from tests import little_world as world


@pytest.fixture
def agent(settings: Settings) -> Agent:
    return world.agent(settings)


@pytest.fixture
def episode(agent: Agent, tmp_path: Path) -> Episode:
    snapshot = world.snapshot(tmp_path / "s")
    return Episode.start(agent, snapshot.items, snapshot.request("ann"))


def write(episode: Episode, ids: list[int], scores: tuple[float, ...] = ()) -> None:
    episode.observe(Generated(ids, [-0.5] * len(ids), cached_tokens=32, scores=scores))


def call(episode: Episode, name: str) -> None:
    write(episode, episode.agent.chat.turn([], ToolCall(name)))


def answer(episode: Episode, scores: tuple[float, ...] = (-3.0, -1.0, -2.0, -4.0)) -> None:
    write(episode, episode.agent.chat.turn([], None))
    write(episode, [episode.next_request().score_ids[1]], scores)


def test_call_then_answer_is_ranked(episode: Episode) -> None:
    call(episode, "co_interactions")
    assert not episode.is_done
    answer(episode)
    assert (episode.outcome, episode.stop_reason) == (Outcome.RANKED, StopReason.ANSWERED)
    # Labels by score: B, C, A, D; label i is candidate order[i].
    order = episode.scene.order
    assert [place for place, _ in episode.ranking()] == [order[1], order[2], order[0], order[3]]


def test_ids_are_kept_as_written_and_the_mask_marks_them(episode: Episode) -> None:
    prompt = len(episode.ids)
    written = episode.agent.chat.turn([], ToolCall("item_info"))
    write(episode, written)
    assert episode.ids[prompt : prompt + len(written)] == written
    assert sum(episode.mask) == len(written)
    assert len(episode.ids) == len(episode.mask) == len(episode.logprobs)


def test_a_turn_without_an_act_is_repaired(episode: Episode) -> None:
    write(episode, episode.agent.chat.words("Title 1"))
    assert episode.is_answering
    write(episode, [episode.next_request().score_ids[0]], (-1.0, -2.0, -3.0, -4.0))
    assert (episode.outcome, episode.stop_reason) == (Outcome.REPAIRED, StopReason.UNFINISHED_TURN)


def test_at_the_call_limit_the_agent_must_answer(episode: Episode) -> None:
    for _ in range(episode.agent.settings.max_calls):
        call(episode, "item_info")
        assert not episode.is_answering
    call(episode, "item_info")
    assert episode.is_answering
    write(episode, [episode.next_request().score_ids[0]], (-1.0, -2.0, -3.0, -4.0))
    assert (episode.outcome, episode.stop_reason) == (Outcome.RANKED, StopReason.CALL_LIMIT)


def test_at_the_token_limit_the_agent_must_answer(episode: Episode) -> None:
    room = len(episode.ids) + episode.agent.settings.max_turn_tokens + 1
    limited = episode.agent.settings.model_copy(update={"max_episode_tokens": room})
    episode.agent = Agent(episode.agent.chat, episode.agent.toolbox, limited)
    call(episode, "item_info")
    assert episode.is_answering
    assert episode.stop_reason is StopReason.TOKEN_LIMIT


@pytest.mark.parametrize("spare", [0, -1])
def test_the_longest_prompt_that_is_taken_leaves_room_for_a_forced_answer(
    agent: Agent, episode: Episode, spare: int
) -> None:
    settings = agent.settings
    limit = len(episode.ids) + settings.max_turn_tokens + 4 + spare
    tight = Agent(agent.chat, agent.toolbox, settings.model_copy(update={"max_episode_tokens": limit}))
    started = Episode.start(tight, episode.scene.items, episode.scene.request)
    assert started.is_done == (spare < 0)
    if not started.is_done:
        write(started, [agent.chat.ids["<think>"]] * settings.max_turn_tokens)
        assert len(started.next_request().token_ids) + 1 <= limit


def test_a_prompt_that_does_not_fit_falls_back(agent: Agent, tmp_path: Path) -> None:
    snapshot = world.snapshot(tmp_path / "s")
    small = Agent(agent.chat, agent.toolbox, agent.settings.model_copy(update={"max_episode_tokens": 64}))
    episode = Episode.start(small, snapshot.items, snapshot.request("ann"))
    assert (episode.outcome, episode.stop_reason) == (Outcome.FALLBACK_INVALID, StopReason.PROMPT_TOO_LONG)
    assert [place for place, _ in episode.ranking()] == [0, 1, 2, 3]


@pytest.mark.parametrize("scores", [(), (-1.0, float("nan"), -2.0, -3.0), (-1.0, -2.0)])
def test_an_answer_without_usable_scores_serves_the_candidate_order(
    episode: Episode, scores: tuple[float, ...]
) -> None:
    answer(episode, scores)
    assert episode.outcome is Outcome.FALLBACK_INVALID
    rows = recommendation_table([episode], ds=world.DS, model_version="m/1", run_id="r", top_n=2).to_pylist()
    assert [row["item_id"] for row in rows] == world.OFFERED["ann"][:2]
    assert {row["source"] for row in rows} == {"fallback"}
    assert {row["reason"] for row in rows} == {"candidate order: no answer"}


def test_a_wrong_call_is_told_to_the_agent_and_counted(episode: Episode) -> None:
    chat = episode.agent.chat
    write(episode, [chat.ids["<call>"], chat.tool_ids["user_profile"], chat.label_ids[0], chat.end_id])
    (called,) = episode.calls
    assert not called.result.is_valid
    assert "takes no labels" in chat.text(episode.ids)


def test_candidate_order_is_seeded_and_differs_between_users() -> None:
    orders = [tuple(candidate_order(f"u{n}", 20, 1)) for n in range(50)]
    assert len(set(orders)) == 50
    assert orders[0] == tuple(candidate_order("u0", 20, 1)) != tuple(candidate_order("u0", 20, 2))


def test_rows_tell_what_was_read_and_why(episode: Episode) -> None:
    call(episode, "co_interactions")
    answer(episode)
    row = trajectory_row(episode, ds=world.DS, versions={"model": "m/1"})
    assert [turn["role"] for turn in row["turns"]] == ["prompt", "agent", "tool", "agent"]
    assert row["tool_calls"][0]["name"] == "co_interactions"
    assert row["tokens"]["cached"] == 3 * 32
    strongest = episode.scene.order.tolist().index(1)
    label = "ABCD"[strongest]
    assert row["tool_calls"][0]["result"].startswith(f"{label} 9 9")
    rows = recommendation_table([episode], ds=world.DS, model_version="m/1", run_id="r", top_n=4).to_pylist()
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    reason = next(r["reason"] for r in rows if r["item_id"] == "i3")
    assert reason == "follows recent items 9/9; goes with the history 9/9"


def test_a_reason_names_the_strongest_evidence_of_all_calls_first(episode: Episode) -> None:
    call(episode, "item_info")
    call(episode, "co_interactions")
    labels = [episode.scene.order.tolist().index(place) for place in (1, 3)]
    # Of the first, popularity at 7 is the fourth; the other has no rating, and no history goes with it.
    assert [episode.calls[0].result.evidence[label] for label in labels] == [(7, 9), (9, 0)]
    assert reasons(episode, labels) == [
        "well rated 9/9; follows recent items 9/9; goes with the history 9/9",
        "popular 9/9",
    ]


def test_a_call_of_no_tool_gives_no_reason(episode: Episode) -> None:
    episode._call(ToolCall("no_such_tool"))
    call(episode, "co_interactions")
    assert [called.result.is_valid for called in episode.calls] == [False, True]
    assert reasons(episode, [episode.scene.order.tolist().index(1)]) == [
        "follows recent items 9/9; goes with the history 9/9"
    ]


def test_a_recorded_call_tells_its_keys_and_the_versions_of_the_tables_that_it_read(episode: Episode) -> None:
    call(episode, "user_profile")
    write(episode, episode.agent.chat.turn([], ToolCall("co_interactions", labels=(0, 2))))
    write(episode, episode.agent.chat.turn([], ToolCall("item_info", labels=(25,))))
    versions = {f"table:{name}": str(n) for n, name in enumerate(("user_profile", "user_history", "co_interaction"))}
    profile, together, wrong = trajectory_row(episode, ds=world.DS, versions=versions)["tool_calls"]

    asked = [world.OFFERED["ann"][episode.scene.order[label]] for label in (0, 2)]
    assert profile["keys"] == ["ann"]
    assert profile["tables"] == [("user_profile", 0)]
    assert together["keys"] == ["ann", *asked]
    assert together["tables"] == [("user_history", 1), ("co_interaction", 2)]
    assert together["levels"] == ("follows recent items", "goes with the history")
    assert (wrong["ok"], wrong["keys"], wrong["tables"]) == (False, [], [])


def test_fingerprint_does_not_depend_on_the_numbers_of_a_snapshot(
    episode: Episode, agent: Agent, tmp_path: Path
) -> None:
    answer(episode)
    rows = world.features()
    more = [pc.replace_substring(rows.item_metadata["item_id"], "i", prefix) for prefix in ("a", "b", "c")]
    others = [rows.item_metadata.set_column(1, rows.item_metadata.schema.field("item_id"), ids) for ids in more]
    larger = replace(rows, item_metadata=pa.concat_tables([rows.item_metadata, *others]))
    asked = nightly_requests(world.candidates(), rows.user_history)
    write_snapshot(tmp_path / "o", asked, larger, ds=world.DS, shards=1, min_users=world.MIN_USERS)
    other = Snapshot(tmp_path / "o")
    again = Episode.start(agent, other.items, other.request("ann"))
    answer(again)

    assert again.scene.request.candidates.tolist() != episode.scene.request.candidates.tolist()
    assert again.fingerprint("m/1") == episode.fingerprint("m/1")


def test_fingerprint_holds_what_was_read(episode: Episode, agent: Agent, tmp_path: Path) -> None:
    answer(episode)
    other = world.snapshot(tmp_path / "other", titles={"i4": "Title 5"})
    changed = Episode.start(agent, other.items, other.request("ann"))
    answer(changed)
    same = Episode.start(agent, *(lambda s: (s.items, s.request("ann")))(world.snapshot(tmp_path / "same")))
    answer(same)
    assert episode.fingerprint("m/1") == same.fingerprint("m/1")
    assert episode.fingerprint("m/1") != changed.fingerprint("m/1")
    assert episode.fingerprint("m/1") != episode.fingerprint("m/2")
