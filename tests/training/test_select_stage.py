"""Selecting over the little world: what the planner drew, as SFT gets it."""

import math
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from recthinker.errors import ConfigError, TrainingError
from recthinker.evaluation import read_targets, target_hashes
from recthinker.settings import RankingName, Settings
from recthinker.tables.arrow import table_version
from recthinker.tables.schemas import ROLLOUTS
from recthinker.training.collect import ROLLOUTS_FILE, collect
from recthinker.training.examples import IGNORED
from recthinker.training.retrain_plan import RetrainPlan
from recthinker.training.rollout_examples import rollout_example
from recthinker.training.select_stage import EXAMPLES, leads_text, select_episodes, taught_by
from recthinker.training.selection import first_answers
from recthinker.training.stage import StageResult, read_result, stage_folder
from tests import little_world
from tests.training import retrain_world as world
from tests.training.test_rollout import groups


def collected(settings: Settings, **named: object) -> Path:
    """The run's folder with its rollouts in their table."""
    world.write_cut(settings)
    run_dir = world.write_plan(settings)
    result = collect(RetrainPlan.read(run_dir), settings, run_dir=run_dir)
    folder = stage_folder(run_dir, "collect")
    world.write_rollouts_table(settings, pq.read_table(folder / ROLLOUTS_FILE))
    replace(result, **named).write(folder)  # type: ignore[arg-type]
    return run_dir


def selected(settings: Settings, run_dir: Path) -> StageResult:
    return select_episodes(RetrainPlan.read(run_dir), settings, run_dir)


@pytest.fixture
def lenient(retraining: Settings) -> Settings:
    """Settings under which most rollouts that ended well are kept."""
    selection = retraining.selection.model_copy(update={"easy_rank": 4, "hard_rank": 4, "max_plan_share": 1})
    return retraining.model_copy(update={"selection": selection})


def test_selected_rollouts_become_examples_with_the_hashes_of_their_targets(lenient: Settings) -> None:
    run_dir = collected(lenient)
    result = selected(lenient, run_dir)
    folder = stage_folder(run_dir, "select")
    rows = pq.read_table(folder / EXAMPLES)
    assert rows.column_names == ["input_ids", "labels", "key", "plan"]
    kept, answers = int(result.figures["kept"]), int(result.figures["answers"])
    assert rows.num_rows == kept + answers
    assert min(kept, answers) > 0
    dropped = sum(count for name, count in result.figures.items() if name.startswith("dropped_"))
    assert result.figures["rollouts"] == 24 == result.figures["kept"] + dropped
    chat = little_world.chat()
    for place, (ids, labels) in enumerate(zip(rows["input_ids"].to_pylist(), rows["labels"].to_pylist(), strict=True)):
        assert ids[-1] == chat.end_id
        assert ids[-2] in chat.label_ids
        # Of a rollout that was selected the turns are learned, of another one its answer.
        assert labels[-2] == (IGNORED if place < kept else ids[-2])
        assert (set(labels[:-2]) == {IGNORED}) == (place >= kept)
        assert all(label in (IGNORED, id_) for id_, label in zip(ids, labels, strict=True))
    asked = rows["key"].to_pylist()[kept:]
    assert len(set(asked)) == answers
    users = sorted({key.partition("#")[0] for key in rows["key"].to_pylist()})
    hashes = read_targets(folder)
    assert hashes is not None
    assert list(hashes) == list(target_hashes(users, [world.TARGETS[user] for user in users]))


def test_the_result_shows_plans_and_episodes(lenient: Settings) -> None:
    run_dir = collected(lenient)
    result = selected(lenient, run_dir)
    assert result == read_result(run_dir, "select")
    assert result.tables == {ROLLOUTS.name: table_version(lenient.paths.warehouse, ROLLOUTS)}
    head, *lines = result.texts["plans.txt"].splitlines()
    assert head.split() == ["drawn", "kept", "plan"]
    shares = [line.split()[:2] for line in lines]
    assert sum(float(drawn.rstrip("%")) for drawn, _ in shares) == pytest.approx(100, abs=0.1)
    assert sum(float(kept.rstrip("%")) for _, kept in shares) == pytest.approx(100, abs=0.1)
    assert result.texts["leads.txt"] == "calls  enough"  # of too few requests nothing is said
    assert result.params["call_price"] == lenient.training.call_price
    # The prompt is not learned, nor the answer of those selected; the agent's turns are.
    sample = result.texts["samples.txt"].split("\n")[1]
    assert sample.startswith("Rank the candidates")
    assert "[[known sufficient" in sample
    assert not sample.endswith("]]")


def test_leads_are_told_by_the_number_of_calls_before() -> None:
    assert leads_text({1: math.inf, 2: 2.887}) == "calls  enough\n    1    none\n    2    2.89"


def test_where_nothing_is_good_enough_it_says_what_dropped_it(retraining: Settings) -> None:
    none = retraining.selection.model_copy(update={"per_user": 0})
    run_dir = collected(retraining)
    with pytest.raises(TrainingError, match=r"none of 24 rollouts is good enough .*'beyond_per_user': [1-9]"):
        selected(retraining.model_copy(update={"selection": none}), run_dir)
    assert read_result(run_dir, "select") is None


def test_rollouts_of_other_prompts_are_refused(lenient: Settings) -> None:
    run_dir = collected(lenient)
    other = lenient.model_copy(update={"agent": lenient.agent.model_copy(update={"max_calls": 2})})
    with pytest.raises(ConfigError, match=r"should be of prompt version .*; collect again"):
        selected(other, run_dir)


def test_rollouts_of_other_runs_are_left_alone(lenient: Settings) -> None:
    run_dir = collected(lenient)
    rows = pq.read_table(stage_folder(run_dir, "collect") / ROLLOUTS_FILE)
    place = rows.schema.get_field_index("run_id")
    others = rows.set_column(place, rows.schema.field(place), [["another"] * rows.num_rows])
    world.write_rollouts_table(lenient, others)
    assert selected(lenient, run_dir).figures["rollouts"] == 24


def test_rollouts_over_another_cut_are_refused(lenient: Settings) -> None:
    run_dir = collected(lenient, cut="holdout_last_1")
    with pytest.raises(ConfigError, match="should have read cut holdout_last_2"):
        selected(lenient, run_dir)


def test_nothing_is_selected_before_something_is_collected(lenient: Settings) -> None:
    run_dir = world.write_plan(lenient)
    with pytest.raises(ConfigError, match="is not done: run collect_rollouts"):
        selected(lenient, run_dir)


def test_a_list_is_learned_with_its_turns(settings: Settings, tmp_path: Path) -> None:
    chat = little_world.chat()
    kept = [group[0] for group in groups(settings, tmp_path, "generate")]
    assert taught_by(kept, [], chat, "generate") == [rollout_example(one, chat, "generate") for one in kept]


def test_answers_are_learned_of_the_first_rollout_of_each_request_that_ended_well(
    settings: Settings, tmp_path: Path
) -> None:
    [first, second] = groups(settings, tmp_path, "labels")[0][:2]
    broken, low = replace(first, broken_calls=1), replace(second, target=(second.target + 1) % 4)
    assert first.ended_well
    assert first_answers([[first, second], [broken, low], [broken]], lambda one: False) == [first, low]
    assert first_answers([[first, second]], lambda one: one is first) == [second]


@pytest.mark.parametrize("ranking", ["labels", "generate"])
def test_an_example_is_the_rollout_with_the_chosen_item_as_its_answer(
    settings: Settings, tmp_path: Path, ranking: RankingName
) -> None:
    ann, chat = groups(settings, tmp_path, ranking)[1][0], little_world.chat()
    # Best first: labels 2, 0, 3, 1.
    ann = replace(ann, scores=(3.0, 1.0, 4.0, 2.0), target=3)
    ids, labels = rollout_example(ann, chat, ranking)
    start = ann.answer_at
    assert ids[:start] == ann.ids[:start]
    written = [id_ if mask else IGNORED for id_, mask in zip(ann.ids[:start], ann.mask[:start], strict=True)]
    assert labels[:start] == written
    names = chat.label_ids
    if ranking == "labels":
        assert (ids[start:], labels[start:]) == ([names[3], chat.end_id], [names[3], IGNORED])
    else:
        assert ids[start:] == labels[start:] == [names[3], names[2], names[0], names[1], chat.end_id]
