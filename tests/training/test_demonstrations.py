import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recthinker.agent import Agent
from recthinker.settings import Settings
from recthinker.training.demonstrations import (
    FIRST_WEIGHT,
    IGNORED,
    Demonstration,
    base_lesson,
    demonstrate,
    draw_ranking,
    sft_example,
    shares_of,
    short_example,
)
from tests import little_world as world


@pytest.fixture
def agent(settings: Settings) -> Agent:
    return world.agent(settings)


def drawn(agent: Agent, folder: Path, target: str = "i5") -> Demonstration:
    snapshot = world.snapshot(folder)
    rows = [snapshot.request("ann")]
    (made,) = demonstrate(agent, snapshot.items, rows, {"ann": snapshot.items.code(target)}, random_share=0.0)
    return made


def test_the_target_changes_nothing_that_the_agent_reads(agent: Agent, tmp_path: Path) -> None:
    one, other = (drawn(agent, tmp_path / target, target) for target in ("i4", "i6"))
    assert one.target != other.target
    assert (one.ids, one.ranking, one.drawn_ranking) == (other.ids, other.ranking, other.drawn_ranking)


def test_sft_learns_only_what_the_agent_wrote_and_the_item_chosen(agent: Agent, tmp_path: Path) -> None:
    made = drawn(agent, tmp_path / "s")
    ids, labels = sft_example(made, agent.chat.end_id)
    assert len(ids) == len(labels)
    learned = [label for label in labels if label != IGNORED]
    assert learned == [id_ for id_, mask in zip(made.ids, made.mask, strict=True) if mask] + [made.target]
    assert labels[-2] == made.target
    assert ids[-1] == agent.chat.end_id


def test_sft_of_lists_learns_the_item_chosen_then_the_planners_order_and_the_end(agent: Agent, tmp_path: Path) -> None:
    made, end = drawn(agent, tmp_path / "s"), agent.chat.end_id
    ids, labels = sft_example(made, end, "generate")
    others = [label for label in made.ranking if label != made.target]
    assert made.ranking[0] != made.target
    assert ids[len(made.ids) :] == labels[len(made.ids) :] == [made.target, *others, end]
    assert labels[: len(made.ids)] == sft_example(made, end)[1][: len(made.ids)]


def test_demonstrations_do_not_depend_on_how_the_answer_is_given(agent: Agent, tmp_path: Path) -> None:
    lists = replace(agent, settings=agent.settings.model_copy(update={"ranking": "generate"}))
    snapshot = world.snapshot(tmp_path / "s")
    rows = [replace(snapshot.request("ann"), key=f"ann{n}") for n in range(20)]
    targets = {row.key: snapshot.items.code("i5") for row in rows}
    one, other = (
        sorted(demonstrate(each, snapshot.items, rows, targets, random_share=0.0), key=lambda made: made.key)
        for each in (agent, lists)
    )
    assert one == other
    assert len({tuple(made.drawn_ranking) for made in one}) > 1


def test_base_learns_what_the_agent_wrote_and_the_probabilities_along_a_ranking(agent: Agent, tmp_path: Path) -> None:
    made = drawn(agent, tmp_path / "s")
    lesson = base_lesson(made, agent.chat.end_id)
    ids, labels = lesson.example
    written = [id_ for id_, mask in zip(made.ids, made.mask, strict=True) if mask]
    assert [label for label in labels if label != IGNORED] == [*written, agent.chat.end_id]
    assert sorted(ids[-5:-1]) == sorted(made.ranking) == sorted(agent.chat.label_ids[:4])
    assert [agent.chat.label_ids[label] for label in np.argsort(-lesson.shares[0], kind="stable")] == made.ranking
    assert lesson.shares.sum(axis=1) == pytest.approx([FIRST_WEIGHT, 1, 1, 1])
    drawn_first = agent.chat.label_ids.index(ids[-5])
    assert lesson.shares[0, drawn_first] > 0
    assert not lesson.shares[1:, drawn_first].any()


def test_shares_are_those_of_the_labels_that_are_left() -> None:
    logprobs = np.log([0.5, 0.3, 0.2])
    assert shares_of(logprobs, np.array([2, 0, 1])) == pytest.approx(
        np.array([[0.5, 0.3, 0.2], [0.625, 0.375, 0.0], [0.0, 1.0, 0.0]])
    )
    # The last of them may be as good as impossible.
    assert shares_of(np.array([0.0, -800.0, -801.0]), np.array([0, 1, 2]))[1] == pytest.approx(
        [0, 0.7311, 0.2689], abs=1e-4
    )


def test_short_examples_keep_the_best_candidate_and_drop_text(agent: Agent, tmp_path: Path) -> None:
    made = drawn(agent, tmp_path / "s")
    ids, labels = short_example(made, agent.chat, random.Random(1))
    assert len(ids) == len(labels) < base_lesson(made, agent.chat.end_id).length
    assert made.ranking[0] in ids
    assert not set(agent.chat.words("Title 4")) & set(ids)


def test_a_label_is_drawn_first_as_often_as_it_is_probable() -> None:
    probabilities = np.array([0.6, 0.3, 0.1])
    first = [int(draw_ranking(np.log(probabilities), f"u{n}")[0]) for n in range(4000)]
    # Standard error of the largest share: sqrt(0.6 * 0.4 / 4000) = 0.008.
    assert np.bincount(first) / 4000 == pytest.approx(probabilities, abs=0.03)
    assert draw_ranking(np.log(probabilities), "u1").tolist() == draw_ranking(np.log(probabilities), "u1").tolist()
