"""The whole evaluation over the little world, with agents that are written by hand."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recthinker.agent import Agent, Episode, Generate, Generated
from recthinker.evaluation import Protocol, Reason, decide, target_hashes
from recthinker.evaluation.metrics import ndcg
from recthinker.inference import Engine, ScriptedEngine
from recthinker.inference.ablations import (
    NO_TOOLS,
    STRANGERS_RESULTS,
    STRANGERS_ROWS,
    ToolboxOfAnother,
    ToolboxWithout,
    ablations,
)
from recthinker.inference.agent_run import AgentRun, run_agent
from recthinker.inference.batch import run_episodes
from recthinker.inference.offline import Evaluated, evaluate_agent
from recthinker.inference.scripted import Planner
from recthinker.inference.trial import Trial
from recthinker.settings import Settings
from recthinker.tools import Scene, ToolCall, Words
from tests.inference import small_trial


class Copier:
    """An engine that looks nothing up and ranks in the order shown, the first label first; or gives no answer."""

    kv_cache = None

    def __init__(self, agent: Agent, *, answers: bool = True) -> None:
        self._chat = agent.chat
        self._answers = answers
        self._done: list[tuple[str, Generated]] = []

    def prime(self, token_ids: Sequence[int]) -> None:
        """Nothing is computed."""

    def add(self, request_id: str, request: Generate, *, seed: int, priority: int = 0) -> None:
        """Answer at once."""
        scores = tuple(-float(place) for place in range(len(request.score_ids)))
        if not request.score_ids:
            ids = self._chat.turn([], None)
            self._done.append((request_id, Generated(ids, [0.0] * len(ids))))
        else:
            self._done.append(
                (request_id, Generated([request.score_ids[0]], [0.0], scores=scores if self._answers else ()))
            )

    def step(self) -> list[tuple[str, Generated]]:
        """All that was asked for."""
        done, self._done = self._done, []
        return done

    def abort(self, request_ids: Iterable[str]) -> None:
        """Nothing waits."""


class Memory(Copier):
    """A copier that ranks one title of each prompt first: that of the target, learned by heart."""

    def __init__(self, agent: Agent, titles: Mapping[str, str]) -> None:
        super().__init__(agent)
        self._titles = titles

    def add(self, request_id: str, request: Generate, *, seed: int, priority: int = 0) -> None:
        """Find the label before the title that the user's target has."""
        if not request.score_ids:
            return super().add(request_id, request, seed=seed)
        title = self._chat.words(self._titles[request_id.partition(":")[0]])
        shown = [
            request.token_ids[place - 1]
            for place in range(1, len(request.token_ids))
            if request.token_ids[place : place + len(title)] == title
        ]
        scores = tuple(float(label in shown) for label in request.score_ids)
        self._done.append((request_id, Generated([shown[0]], [0.0], scores=scores)))
        return None


@pytest.fixture
def trial(tmp_path: Path, settings: Settings) -> Trial:
    return small_trial.trial(tmp_path, settings)


def planned(agent: Agent) -> Engine:
    return ScriptedEngine(Planner(agent.chat, agent.toolbox.tools))


def once(engine: Engine, agent: Agent, trial: Trial) -> AgentRun:
    items, rows = trial.snapshot.items, trial.rows
    return run_agent(engine, agent, items, rows, trial.target, max_in_flight=8, on_episode=lambda episode: None)


def evaluated(engine: Engine, agent: Agent, trial: Trial, settings: Settings) -> Evaluated:
    protocol = Protocol.parse("leave_last_one")
    return evaluate_agent(engine, agent, trial, settings, protocol, with_ablations=True)


def test_ranks_calls_and_outcomes_run_along_the_requests(agent: Agent, trial: Trial) -> None:
    found = once(planned(agent), agent, trial)
    # ann's i1 leads to i3, her target, strongly: it comes first.
    assert found.ranks[0] == 1
    assert found.outcomes == {"ranked": 3}
    assert found.ranked.tolist() == [1, 1, 1]
    assert (found.calls >= 1).all()


def test_a_copy_of_the_order_shown_has_correlation_one(agent: Agent, trial: Trial) -> None:
    found = once(Copier(agent), agent, trial)
    assert found.order_correlation.tolist() == pytest.approx([1, 1, 1])
    assert found.calls.tolist() == [0, 0, 0]


def test_a_fallback_scores_nothing_and_stays_in(agent: Agent, trial: Trial) -> None:
    found = once(Copier(agent, answers=False), agent, trial)
    assert np.isinf(found.ranks).all()
    assert found.outcomes == {"fallback_invalid": 3}
    assert found.ranked.tolist() == found.order_correlation.tolist() == [0, 0, 0]


def test_a_tool_that_is_off_answers_as_a_broken_one_and_stays_in_the_prompt(agent: Agent, trial: Trial) -> None:
    off = ToolboxWithout(agent.toolbox.settings, "co_interactions")
    scene = Scene(trial.snapshot.items, trial.rows[0], np.arange(4))
    result = off.call(scene, ToolCall("co_interactions"))
    assert result.segments == (Words("the tool failed"),)
    assert not result.is_valid
    assert off.call(scene, ToolCall("similar_users")).is_valid
    assert replace(agent, toolbox=off).system_ids == agent.system_ids


def looked_at(agent: Agent, trial: Trial, name: str) -> dict[str, str]:
    """The user whom the tools look at, by the user who is ranked for."""
    toolbox = ablations(agent, trial)[name].toolbox
    assert isinstance(toolbox, ToolboxOfAnother)
    return {row.user_id: toolbox.others[row.key].user_id for row in trial.rows}


def test_tools_look_at_the_same_stranger_each_time_and_never_at_oneself(
    agent: Agent, tmp_path: Path, settings: Settings
) -> None:
    trials = [small_trial.trial(tmp_path / name, settings) for name in ("a", "b")]
    first, *others = [looked_at(agent, trial, name) for trial in trials for name in (STRANGERS_ROWS, STRANGERS_RESULTS)]
    assert others == [first] * 3
    assert sorted(first) == sorted(first.values()) == ["ann", "bob", "cat"]
    assert all(user != stranger for user, stranger in first.items())


def test_where_nobody_else_is_asked_for_there_is_no_stranger(agent: Agent, tmp_path: Path, settings: Settings) -> None:
    alone = small_trial.trial(tmp_path, settings, {"ann": ["i3"]})
    assert not {STRANGERS_ROWS, STRANGERS_RESULTS} & set(ablations(agent, alone))


def test_a_strangers_results_are_read_as_the_stranger_reads_them_to_the_token(agent: Agent, trial: Trial) -> None:
    def first_result(of: Agent, user: str) -> list[int]:
        (row,) = (row for row in trial.rows if row.user_id == user)
        (episode,) = run_episodes(planned(of), of, trial.snapshot.items, [row], max_in_flight=1)
        prompt, _, result, after = (turn.start for turn in episode.turns[:4])
        assert episode.ids[prompt : episode.turns[1].start] == Episode.start(agent, episode.scene.items, row).ids
        return episode.ids[result:after]

    strangers = ablations(agent, trial)[STRANGERS_RESULTS]
    pairs = looked_at(agent, trial, STRANGERS_RESULTS)
    assert {user: first_result(strangers, user) for user in pairs} == {
        user: first_result(agent, stranger) for user, stranger in pairs.items()
    }
    assert first_result(strangers, "ann") != first_result(agent, "ann")


@pytest.mark.parametrize("labels", [(), (0, 2), (4,)])
def test_labels_of_a_call_stand_for_the_strangers_candidates(
    agent: Agent, trial: Trial, labels: tuple[int, ...]
) -> None:
    calls = [ToolCall(name, labels if tool.takes == "labels" else ()) for name, tool in agent.toolbox.tools.items()]
    scenes = {row.user_id: Episode.start(agent, trial.snapshot.items, row).scene for row in trial.rows}
    strangers = ablations(agent, trial)[STRANGERS_RESULTS].toolbox
    for user, stranger in looked_at(agent, trial, STRANGERS_RESULTS).items():
        for call in calls:
            # Also where it says that there is no label E.
            assert strangers.call(scenes[user], call) == agent.toolbox.call(scenes[stranger], call)


def test_a_strangers_rows_are_read_of_ones_own_candidates(agent: Agent, trial: Trial) -> None:
    strangers = ablations(agent, trial)[STRANGERS_ROWS].toolbox
    for row, stranger in zip(trial.rows, trial.strangers, strict=True):
        scene = Episode.start(agent, trial.snapshot.items, row).scene
        for name in agent.toolbox.tools:
            expected = agent.toolbox.call(replace(scene, request=stranger), ToolCall(name))
            assert strangers.call(scene, ToolCall(name)) == expected


def test_with_a_strangers_results_the_planner_falls_to_chance(agent: Agent, trial: Trial) -> None:
    def mean_ndcg(name: str) -> float:
        orders = [replace(agent, settings=agent.settings.model_copy(update={"seed": seed})) for seed in range(40)]
        agents = [ablations(one, trial)[name] if name else one for one in orders]
        return float(np.mean([ndcg(once(planned(one), one, trial).ranks, 10) for one in agents]))

    # Ranks 1 to 4 alike; 120 lists have a standard error of 0.02.
    chance = (1 + 1 / np.log2(3) + 1 / 2 + 1 / np.log2(5)) / 4
    assert mean_ndcg("") > chance + 0.2
    assert mean_ndcg(STRANGERS_RESULTS) == pytest.approx(chance, abs=0.05)


def test_every_tool_is_switched_off_once_and_fewer_calls_are_allowed(agent: Agent, trial: Trial) -> None:
    off, limits = [f"without {name}" for name in agent.toolbox.tools], [f"at most {n} calls" for n in (2, 3)]
    assert list(ablations(agent, trial)) == [*off, STRANGERS_ROWS, STRANGERS_RESULTS, "at most 1 call", *limits]


def test_a_limit_that_settings_have_anyway_is_not_run_again(agent: Agent, trial: Trial) -> None:
    two = replace(agent, settings=agent.settings.model_copy(update={"max_calls": 2}))
    assert list(ablations(two, trial))[-2:] == [STRANGERS_RESULTS, "at most 1 call"]


def test_evaluation_holds_every_system_and_is_json(agent: Agent, trial: Trial, settings: Settings) -> None:
    figures, users = evaluated(planned(agent), agent, trial, settings)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert [one["name"] for one in figures["systems"]] == [
        *("agent", "random", "popularity", "fusion of tools", "ItemKNN", "ALS", "EASE"),
    ]
    assert figures["users"] == 3
    assert figures["left_out"] == 2
    assert len(figures["shuffles"]["orders"]) == settings.evaluation.shuffles
    # Each user once in every order.
    assert figures["outcomes"] == {"ranked": 3 * settings.evaluation.shuffles}
    assert figures["command"] == "recthinker evaluate --protocol leave_last_one --ablations"
    assert users.targets == ("i3", "i5", "i1")
    assert users.ndcg.mean() == pytest.approx(figures["systems"][0]["ndcg"])


def test_without_its_tools_the_planner_knows_nothing(agent: Agent, trial: Trial, settings: Settings) -> None:
    figures, users = evaluated(planned(agent), agent, trial, settings)
    by_name = {one["name"]: one for one in figures["ablations"]}
    assert by_name[NO_TOOLS]["calls"] == 0
    # All candidates score alike: ranks 2.5 of 4, for everybody.
    assert users.blind_ndcg.tolist() == pytest.approx([1 / np.log2(3.5)] * 3)
    # Where the first tool fails the planner asks one more; another user's rows mislead it, and so do the results.
    assert by_name["without co_interactions"]["calls"] > by_name["without user_profile"]["calls"]
    for name in (STRANGERS_ROWS, STRANGERS_RESULTS):
        assert by_name[name]["ndcg"] < figures["shuffles"]["orders"][0]["ndcg"]


def test_the_curve_goes_from_no_call_to_all_that_settings_allow(agent: Agent, trial: Trial, settings: Settings) -> None:
    figures, users = evaluated(planned(agent), agent, trial, settings)
    curve = figures["call_curve"]
    assert [point["max_calls"] for point in curve] == [0, 1, 2, 3, settings.agent.max_calls]
    # The planner always asks once, and for somebody twice.
    assert [point["calls"] for point in curve[:2]] == [0, 1]
    assert 1 < curve[2]["calls"] <= 2
    assert curve[0]["ndcg"] == pytest.approx(users.blind_ndcg.mean())
    further = figures["further_calls"]
    assert [one["after"] for one in further] == [1, 2, 3]
    # All three call once; who calls no second time is in no later row: a limit more is a call more of each who is.
    reached = [one["wrong_users"] + one["right_users"] for one in further]
    assert reached == pytest.approx([3, *(3 * (curve[limit]["calls"] - curve[limit - 1]["calls"]) for limit in (2, 3))])
    first_order = figures["shuffles"]["orders"][0]
    assert [curve[-1][name] for name in ("ndcg", "low", "high")] == list(first_order.values())


def test_without_ablations_there_is_no_curve_but_adaptivity(agent: Agent, trial: Trial, settings: Settings) -> None:
    protocol = Protocol.parse("leave_last_one")
    figures, users = evaluate_agent(planned(agent), agent, trial, settings, protocol, with_ablations=False)
    assert figures["call_curve"] == figures["further_calls"] == []
    adaptivity = figures["adaptivity"]
    # Without tools all score alike: the target is first for nobody.
    assert (adaptivity["wrong_users"], adaptivity["right_users"]) == (3, 0)
    # Each user once in every order; ann, bob and cat have two events each.
    assert sum(one["episodes"] for one in adaptivity["gains"]) == 3 * settings.evaluation.shuffles
    assert [(one["shortest"], one["longest"], one["users"]) for one in adaptivity["history_bins"]] == [(2, 2, 3)]
    assert adaptivity["fewest_calls"] == users.calls.min()


def test_counts_that_are_not_of_the_view_raise_the_alarm(agent: Agent, trial: Trial, settings: Settings) -> None:
    # The little world's popularity is made up: 10 for i1, ..., 60 for i6.
    figures, _ = evaluated(planned(agent), agent, trial, settings)
    assert [one["name"] for one in figures["probes"] if one["is_alarm"]] == ["own count"]


def test_the_gate_refuses_a_copier_for_what_it_is(agent: Agent, trial: Trial, settings: Settings) -> None:
    champion = evaluated(planned(agent), agent, trial, settings).users
    copier = evaluated(Copier(agent), agent, trial, settings).users
    clean = target_hashes(["ann"], ["i6"])
    found = decide(copier, champion, settings.gate, settings.evaluation, trained_on=clean)
    assert not found.is_promoted
    assert Reason.COPIES_ORDER in found.reasons
    assert Reason.LEAKED_TARGETS not in found.reasons


def test_the_gate_refuses_a_model_that_learned_the_targets_by_heart(
    agent: Agent, tmp_path: Path, settings: Settings
) -> None:
    users = ("ann", "bob", "cat")
    trial = small_trial.trial(tmp_path, settings, {user: ["i6"] for user in users})  # nobody else has i6
    champion = evaluated(planned(agent), agent, trial, settings).users
    memory = evaluated(Memory(agent, dict.fromkeys(users, "Title 6")), agent, trial, settings).users
    assert memory.blind_ndcg.tolist() == [1, 1, 1]
    # What its trainer wrote down is clean; what it does without looking is not.
    clean = target_hashes(["ann"], ["i3"])
    found = decide(memory, champion, settings.gate, settings.evaluation, trained_on=clean)
    assert found.reasons == (Reason.KNOWS_BLIND, Reason.TOO_FEW_USERS)
    told = target_hashes(["ann"], ["i6"])
    found = decide(memory, champion, settings.gate, settings.evaluation, trained_on=told)
    assert found.reasons[0] is Reason.LEAKED_TARGETS
