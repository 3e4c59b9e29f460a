"""Collecting over the little world with the scripted planner."""

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recthinker.agent import CompactFormat, train_tokenizer
from recthinker.errors import ConfigError
from recthinker.inference.evidence_weights import EvidenceWeights, Fit, line
from recthinker.registry.steps import episode_steps
from recthinker.settings import Settings
from recthinker.tables.schemas import ROLLOUTS
from recthinker.tools import BUILT_IN
from recthinker.training.base_model import WEIGHTS
from recthinker.training.collect import EPISODES_FILE, ROLLOUTS_FILE, Author, collect, has_same_tokens, open_author
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.rewards import group_advantages
from recthinker.training.rollout import Rollout
from recthinker.training.rollout_rows import DrawnBy, read_rollouts, write_rollouts
from recthinker.training.stage import MODEL, StageResult, read_result, stage_folder
from tests import little_world
from tests.training import retrain_world as world


def collected(settings: Settings) -> tuple[StageResult, list[list[Rollout]], Path]:
    world.write_cut(settings)
    run_dir = world.write_plan(settings)
    result = collect(RetrainPlan.read(run_dir), settings, run_dir=run_dir)
    path = stage_folder(run_dir, "collect") / ROLLOUTS_FILE
    return result, read_rollouts(pq.read_table(path)), path


def test_each_request_has_its_rollouts_of_plans_that_differ(retraining: Settings) -> None:
    settings = retraining.model_copy(update={"collect": retraining.collect.model_copy(update={"random_share": 1.0})})
    result, groups, _ = collected(settings)
    assert [[one.sample for one in group] for group in groups] == [[0, 1, 2, 3]] * 6
    assert result.figures["rollouts"] == 24
    assert {group[0].labels[group[0].target] for group in groups} <= set(world.TARGETS.values())
    assert sum(len({one.plan for one in group}) > 1 for group in groups) >= 5


def test_the_planners_plans_look_up_too_little_enough_and_too_much(retraining: Settings) -> None:
    more = retraining.collect.model_copy(update={"requests": 30, "random_share": 1.0})
    _, groups, _ = collected(retraining.model_copy(update={"collect": more}))
    drawn = [one for group in groups for one in group]
    calls = Counter(one.calls for one in drawn)
    # A quarter of the plans each: no tool, one, one to four, all six and one again, of which five calls are allowed.
    assert calls[0] > 15
    assert calls[1] > 15
    assert calls[5] > 15
    assert {one.stop_reason for one in drawn if one.calls == 5} == {"call_limit"}


def test_rewards_and_advantages_are_those_of_the_group(retraining: Settings) -> None:
    _, groups, path = collected(retraining)
    rows = pq.read_table(path).to_pylist(maps_as_pydicts="strict")
    earned = {(row["key"], row["sample"]): row for row in rows}
    for group in groups:
        expected = group_advantages(group, retraining.rl, retraining.evaluation.k)
        for place, one in enumerate(group):
            row = earned[one.key, one.sample]
            assert row["advantage"] == expected.values[place]
            # One relevant item: NDCG is 1 / log2(1 + rank).
            assert row["rewards"]["ranking"] == pytest.approx(1 / math.log2(1 + row["rank"]))
            assert set(row["rewards"]) == {"ranking", "validity", "efficiency"}


def test_rows_tell_who_drew_them_and_keep_the_contract(retraining: Settings) -> None:
    result, _, path = collected(retraining)
    rows = pq.read_table(path)
    assert rows.schema.remove_metadata().equals(ROLLOUTS.arrow_schema())
    assert set(rows["model_version"].to_pylist()) == {"planner"}
    assert (set(rows["ds"].to_pylist()), set(rows["run_id"].to_pylist())) == ({world.DS}, {world.RUN_ID})
    assert (result.params["drawn_by"], result.cut) == ("planner", "holdout_last_2")
    assert {"interactions", "held_out", "user_history"} <= set(result.tables)


def test_some_episodes_are_kept_to_be_looked_at(retraining: Settings) -> None:
    shown = retraining.model_copy(update={"registry": retraining.registry.model_copy(update={"traced_episodes": 3})})
    _, groups, path = collected(shown)
    episodes = json.loads((path.parent / EPISODES_FILE).read_text(encoding="utf-8"))
    assert len(episodes) == 3
    drawn = {tuple(one.ids) for group in groups for one in group}
    for episode in episodes:
        assert tuple(episode["token_ids"]) in drawn
        assert episode["versions"]["model"] == "planner"
        assert [step.is_tool for step in episode_steps(episode)].count(True) == len(episode["tool_calls"])


def test_collecting_again_draws_the_same(retraining: Settings) -> None:
    _, groups, path = collected(retraining)
    run_dir = retraining.paths.runs / world.DS / world.RUN_ID
    collect(RetrainPlan.read(run_dir), retraining, run_dir=run_dir)
    assert read_rollouts(pq.read_table(path)) == groups
    # The job marks the stage as done, once the table has the rows.
    assert read_result(run_dir, "collect") is None


def test_the_planner_reads_by_the_weights_beside_the_base_model(retraining: Settings) -> None:
    more = retraining.model_copy(update={"collect": retraining.collect.model_copy(update={"random_share": 0.0})})
    _, groups, path = collected(more)
    run_dir = retraining.paths.runs / world.DS / world.RUN_ID
    blind = {"co_interactions": (line(0.0), line(0.0))}
    more_of_it = {**blind, "item_info": (line(0.0), line(0.0))}
    weights = EvidenceWeights({frozenset(told): Fit(told, len(told) - 3.0, 1e-9) for told in ({}, blind, more_of_it)})
    weights.write(stage_folder(run_dir, "base") / MODEL / WEIGHTS)
    collect(RetrainPlan.read(run_dir), more, run_dir=run_dir)
    again = read_rollouts(pq.read_table(path))
    assert any(len(set(one.scores)) > 1 for group in groups for one in group if one.plan == ("co_interactions",))
    # Nothing is told by the first call, so the other one follows.
    assert {one.plan for group in again for one in group} == {("co_interactions", "item_info")}


def author(settings: Settings, folder: Path) -> Author:
    run_dir = world.write_plan(settings, champion="recthinker/3", champion_path=str(folder))
    return open_author(RetrainPlan.read(run_dir), settings, stage_folder(run_dir, "base") / MODEL)


def test_the_champion_draws_where_its_tokens_are_the_base_models(retraining: Settings, tmp_path: Path) -> None:
    world.save_tokenizer(tmp_path / "champion")
    drawn_by = author(retraining, tmp_path / "champion")
    assert drawn_by.version == "recthinker/3"
    assert drawn_by.agent.settings.temperature == retraining.collect.temperature != retraining.agent.temperature


def test_the_planner_draws_in_the_place_of_a_champion_of_other_tokens(retraining: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "champion"
    folder.mkdir()
    CompactFormat(train_tokenizer(["Quite other words"], 400, BUILT_IN)).save(folder / "tokenizer.json")
    drawn_by = author(retraining, folder)
    assert drawn_by.version == "planner"
    assert isinstance(drawn_by.agent.chat, CompactFormat)
    assert drawn_by.agent.chat.words("Title 1") == little_world.chat().words("Title 1")


def test_how_a_batch_is_padded_makes_no_other_tokens(tmp_path: Path) -> None:
    for name in ("one", "other"):
        world.save_tokenizer(tmp_path / name)
    chat = little_world.chat()
    chat.tokenizer.enable_padding()
    chat.save(tmp_path / "other" / "tokenizer.json")
    assert has_same_tokens(tmp_path / "one", tmp_path / "other")


def test_without_a_base_model_there_is_nothing_to_collect_for(retraining: Settings) -> None:
    world.write_cut(retraining)
    run_dir = world.write_plan(retraining)
    (stage_folder(run_dir, "base") / "result.json").unlink()
    with pytest.raises(ConfigError, match=r"stage base .* is not done"):
        collect(RetrainPlan.read(run_dir), retraining, run_dir=run_dir)


def test_a_rollout_comes_back_from_its_row_as_it_was(retraining: Settings, tmp_path: Path) -> None:
    _, groups, _ = collected(retraining)
    unscored = replace(groups[0][3], status="fallback_error", scores=(), logprobs=[0.0] * len(groups[0][3].ids))
    group = [*groups[0][:3], unscored]
    earned = group_advantages(group, retraining.rl, 10)
    path = tmp_path / "rows.parquet"
    write_rollouts(path, [group], [earned], DrawnBy(world.DS, "r", "m/1", "p"))
    rows = pq.read_table(path)
    assert read_rollouts(rows.take([3, 1, 0, 2])) == [group]
    last = rows.to_pylist(maps_as_pydicts="strict")[3]
    assert (last["rank"], last["rewards"], last["advantage"]) == (None, {}, 0.0)
