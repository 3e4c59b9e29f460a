"""What TRL's trainer is given: each rollout's tokens, and an advantage at each that the agent wrote."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recthinker.inference import ScriptedEngine
from recthinker.inference.random_plans import any_plan
from recthinker.inference.scripted import Planner
from recthinker.settings import Settings
from recthinker.training import group_rollouts
from recthinker.training.answer_teacher import Teacher, divergence, item_chosen
from recthinker.training.episode_trainer import ADVANTAGES, ANSWER_AT
from recthinker.training.group_rollouts import COLUMNS, REWARDS, GroupRollouts
from recthinker.training.micro_batches import ANSWER_SHARES
from recthinker.training.rewards import group_advantages
from recthinker.training.rollout import Rollout
from recthinker.training.training_requests import TrainingRequests
from tests import little_world as world

TARGETS = {"ann": "i5", "bob": "i4", "cat": "i1", "dan": "i3"}


def taught(rollout: Rollout) -> np.ndarray:
    """Nine tenths for the target, the rest for the first label."""
    shares = 0.9 * np.eye(len(rollout.scores))[rollout.target]
    shares[0] += 0.1
    return shares


TEACHER = Teacher(taught, sees_target=False)


def drawn(
    settings: Settings,
    folder: Path,
    keys: list[str],
    groups: int,
    step: int = 0,
    *,
    teacher: Teacher = TEACHER,
    logged: dict[str, float] | None = None,
) -> dict[str, Any]:
    """The columns of a step of `groups` groups; plans are random and so differ."""
    snapshot, agent = world.snapshot(folder / "s"), world.agent(settings)
    engine: Any = ScriptedEngine(Planner(agent.chat, agent.toolbox.tools, random_share=1.0, draw_plan=any_plan))
    targets = {key: snapshot.items.code(TARGETS[key]) for key in keys}
    requests = TrainingRequests(snapshot, [snapshot.request(key) for key in keys], targets, np.array([], np.uint64))
    draw = GroupRollouts(
        engine, agent, requests, settings.rl, teacher, k=10, seed=7, max_in_flight=4, before_step=lambda model: 0.0
    )
    trainer = SimpleNamespace(
        state=SimpleNamespace(global_step=step),
        accelerator=SimpleNamespace(process_index=0, unwrap_model=lambda model: model),
        model=None,
        _log_metric=(logged if logged is not None else {}).__setitem__,
    )
    return draw([""] * groups * settings.rl.rollouts, trainer)


def answers(columns: dict[str, Any]) -> list[int]:
    """Place of each answer: the last token that the agent wrote."""
    return [max(place for place, written in enumerate(mask) if written) for mask in columns["env_mask"]]


def test_columns_are_of_whole_groups_token_by_token(settings: Settings, tmp_path: Path) -> None:
    columns = drawn(settings, tmp_path, ["ann"], 1)
    assert {len(column) for column in columns.values()} == {settings.rl.rollouts}
    assert set(columns) == {*COLUMNS, *REWARDS}
    assert len({tuple(ids) for ids in columns["prompt_ids"]}) == 1
    for name in ("logprobs", "env_mask", ADVANTAGES):
        assert [len(row) for row in columns[name]] == [len(row) for row in columns["completion_ids"]]


def test_turns_earn_the_advantage_of_their_rollout(settings: Settings, tmp_path: Path) -> None:
    columns = drawn(settings, tmp_path, ["ann"], 1)
    of_turns = []
    for answer, mask, advantages in zip(answers(columns), columns["env_mask"], columns[ADVANTAGES], strict=True):
        turns = {value for value, written in zip(advantages[:answer], mask[:answer], strict=True) if written}
        assert len(turns) == 1
        assert not any(value for value, written in zip(advantages, mask, strict=True) if not written)
        of_turns += turns
    assert len(set(of_turns)) > 1


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[list[Rollout]]:
    """All that is drawn, by request in the order drawn."""
    found: list[list[Rollout]] = []
    draw = group_rollouts.roll_out

    def watched(*arguments: Any, **options: Any) -> list[list[Rollout]]:
        found.extend(draw(*arguments, **options))
        return found

    monkeypatch.setattr(group_rollouts, "roll_out", watched)
    return found


def test_an_answer_s_label_is_neither_rewarded_nor_replaced(
    settings: Settings, tmp_path: Path, groups: list[list[Rollout]]
) -> None:
    columns = drawn(settings, tmp_path, ["ann"], 1)
    [group] = groups
    assert any(one.scores and row[0] for one, row in zip(group, columns[ADVANTAGES], strict=True))
    for row, (one, answer) in enumerate(zip(group, answers(columns), strict=True)):
        assert columns["completion_ids"][row] == one.ids[one.prompt_length :]
        assert columns["logprobs"][row] == one.logprobs[one.prompt_length :]
        assert columns[ADVANTAGES][row][answer] == 0


def test_answers_are_taught_what_the_teacher_says(
    settings: Settings, tmp_path: Path, groups: list[list[Rollout]]
) -> None:
    logged: dict[str, float] = {}
    columns = drawn(settings, tmp_path, ["ann"], 1, logged=logged)
    [group] = groups
    assert columns[ANSWER_AT] == answers(columns)
    most = max(len(one.scores) for one in group)
    for shares, one in zip(columns[ANSWER_SHARES], group, strict=True):
        assert shares == [*taught(one).tolist(), *[0.0] * (most - len(one.scores))]
    assert logged["answer_divergence"] == pytest.approx(np.mean([divergence(taught(one), one) for one in group]))


def test_divergence_is_watched_in_all_that_is_drawn(
    settings: Settings, tmp_path: Path, groups: list[list[Rollout]]
) -> None:
    logged: dict[str, float] = {}
    drawn(settings, tmp_path, list(TARGETS), 2, logged=logged)
    assert len(groups) == 4
    expected = np.mean([divergence(taught(one), one) for group in groups for one in group])
    assert logged["answer_divergence"] == pytest.approx(expected)


@pytest.mark.parametrize(("sees_target", "count", "taught_groups"), [(False, 3, 3), (True, 3, 2), (True, 4, 4)])
def test_who_sees_the_target_teaches_only_where_it_had_no_say_in_what_is_learned_from(
    settings: Settings, tmp_path: Path, sees_target: bool, count: int, taught_groups: int
) -> None:
    """Half of the groups are taken as drawn; of four there is no other one to take."""
    columns = drawn(settings, tmp_path, list(TARGETS), count, teacher=Teacher(item_chosen, sees_target))
    size = settings.rl.rollouts
    assert [at >= 0 for at in columns[ANSWER_AT]] == [row < taught_groups * size for row in range(count * size)]
    for advantages, answer in zip(columns[ADVANTAGES], answers(columns), strict=True):
        assert advantages[answer] == 0, "the label drawn earns nothing in either case"


def test_shares_are_by_label_where_fewer_are_shown(
    settings: Settings, tmp_path: Path, groups: list[list[Rollout]]
) -> None:
    columns = drawn(settings, tmp_path, list(TARGETS), 4)
    shown = {len(group[0].scores) for group in groups}
    assert len(shown) > 1
    said = {tuple(one.ids[: one.prompt_length]): taught(one).tolist() for group in groups for one in group}
    for prompt, shares in zip(columns["prompt_ids"], columns[ANSWER_SHARES], strict=True):
        expected = said[tuple(prompt)]
        assert shares == [*expected, *[0.0] * (max(shown) - len(expected))]


def test_an_episode_without_an_answer_is_taught_none(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = group_rollouts.roll_out

    def broken_off(*arguments: Any, **options: Any) -> list[list[Rollout]]:
        """The first of each group has no answer."""
        groups = draw(*arguments, **options)
        return [[replace(first, scores=(), answer_at=len(first.ids)), *others] for first, *others in groups]

    monkeypatch.setattr(group_rollouts, "roll_out", broken_off)
    logged: dict[str, float] = {}
    columns = drawn(settings, tmp_path, ["ann"], 1, logged=logged)
    assert [at == -1 for at in columns[ANSWER_AT]] == [place == 0 for place in range(settings.rl.rollouts)]
    assert not any(columns[ANSWER_SHARES][0])
    assert logged["answer_divergence"] > 0


def test_a_list_that_is_written_earns_as_turns_do(settings: Settings, tmp_path: Path) -> None:
    agent = settings.agent.model_copy(update={"ranking": "generate"})
    columns = drawn(settings.model_copy(update={"agent": agent}), tmp_path, ["ann"], 1)
    assert any(any(row) for row in columns[ADVANTAGES])
    assert set(columns[ANSWER_AT]) == {-1}
    for mask, advantages in zip(columns["env_mask"], columns[ADVANTAGES], strict=True):
        assert len({value for value, written in zip(advantages, mask, strict=True) if written}) == 1


@pytest.mark.parametrize("step", [0, 1])
def test_half_are_taken_as_drawn_the_others_where_rollouts_disagree(
    settings: Settings, tmp_path: Path, groups: list[list[Rollout]], step: int
) -> None:
    columns = drawn(settings, tmp_path, list(TARGETS), 3, step)
    worth = [float(np.abs(group_advantages(group, settings.rl, 10).values).sum()) for group in groups]
    assert (worth[2] > worth[3]) == (step == 0), "each of the two stands first once"
    expected = [groups[0], groups[1], groups[2 if worth[2] > worth[3] else 3]]
    taken = [one.ids[: one.prompt_length] for group in expected for one in group]
    assert columns["prompt_ids"] == taken
