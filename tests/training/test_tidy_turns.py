"""Turns as the compact format writes them, and others that would be carried out all the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from recthinker.agent import CompactFormat, HermesFormat
from recthinker.settings import Settings
from recthinker.training.rollout import Rollout
from recthinker.training.tidy_turns import is_tidy
from tests import chatml
from tests import little_world as world
from tests.training.test_rollout import groups


@pytest.fixture
def drawn(settings: Settings, tmp_path: Path) -> Rollout:
    """An episode of the planner with a call."""
    one = groups(settings, tmp_path)[1][0]
    assert one.plan
    return one


@pytest.fixture
def chat() -> CompactFormat:
    return world.chat()


def put_in(rollout: Rollout, place: int, id_: int) -> Rollout:
    """With one token more that the agent wrote."""
    ids, mask = list(rollout.ids), list(rollout.mask)
    ids.insert(place, id_)
    mask.insert(place, 1)
    return replace(rollout, ids=ids, mask=mask, answer_at=rollout.answer_at + 1)


def test_what_the_planner_writes_is_tidy(drawn: Rollout, chat: CompactFormat) -> None:
    assert is_tidy(drawn, chat)


def test_a_claim_to_know_what_was_not_looked_up_is_not(drawn: Rollout, chat: CompactFormat) -> None:
    first = drawn.prompt_length + 1 + len(chat.words("known"))
    assert not is_tidy(put_in(drawn, first, chat.tool_ids["user_profile"]), chat)


def test_a_word_too_many_before_the_answer_is_not(drawn: Rollout, chat: CompactFormat) -> None:
    assert not is_tidy(put_in(drawn, drawn.answer_at - 1, chat.words("actor")[0]), chat)


def test_free_text_is_taken_as_it_is(drawn: Rollout) -> None:
    assert is_tidy(put_in(drawn, drawn.prompt_length, 1), HermesFormat(chatml.qwen_like()))
