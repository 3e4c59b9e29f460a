import pytest
from tokenizers import Tokenizer, models

from recthinker.agent.compact import CompactFormat
from recthinker.agent.types import Malformed
from recthinker.errors import ConfigError
from recthinker.tools import Label, Level, Words
from tests import little_world as world


@pytest.fixture(scope="module")
def chat() -> CompactFormat:
    return world.chat()


def test_turns_that_are_no_act_are_malformed(chat: CompactFormat) -> None:
    call, tool, end = chat.ids["<call>"], chat.tool_ids["item_info"], chat.end_id
    for ids in ([], [call, tool], [chat.ids["<think>"], end], [call, end], [call, chat.label_ids[0], end]):
        assert isinstance(chat.parse(ids), Malformed)
    assert isinstance(chat.parse([call, tool, *chat.words("Title"), end]), Malformed)
    assert isinstance(chat.parse([call, tool, *chat.level_ids[1:3], end]), Malformed)


def test_segments_and_text_show_what_was_read(chat: CompactFormat) -> None:
    ids = chat.segments([Label(1), Level(9), Words("Title 3")])
    assert ids[:2] == [chat.label_ids[1], chat.level_ids[9]]
    assert chat.text(ids) == "B 9 Title 3"


def test_a_strange_tokenizer_is_refused() -> None:
    with pytest.raises(ConfigError, match="lacks control tokens"):
        CompactFormat(Tokenizer(models.BPE()))
