"""A short episode in each chat format as text, as docs/models.md shows it: the little world's ann, two tools."""

from pathlib import Path

from tokenizers import Tokenizer

from recthinker.agent import Agent, ChatFormat, CompactFormat, Episode, Generated, HermesFormat
from recthinker.settings import load_settings
from recthinker.tools import ToolCall
from tests import chatml
from tests import little_world as world


def hermes_sample(folder: Path) -> str:
    """By a tokenizer with Qwen's marks; the text is the same for every tokenizer that has them."""
    tokenizer = chatml.qwen_like()
    return _sample(HermesFormat(tokenizer), tokenizer, folder)


def compact_sample(folder: Path) -> str:
    """By a tokenizer of the little world, broken into lines before turns."""
    chat = world.chat()
    text = _sample(CompactFormat(chat.tokenizer), chat.tokenizer, folder)
    for token in ("<user>", "<cand>", "<think>", "<result>"):
        text = text.replace(token, f"\n{token}")
    return text


def _sample(chat: ChatFormat, tokenizer: Tokenizer, folder: Path) -> str:
    settings = load_settings(
        "test",
        environ={},
        overrides={
            "agent": {"max_episode_tokens": 4096, "max_turn_tokens": 200, "ranking": "generate"},
            "tools": {"enabled": ["user_history", "co_interactions"]},
        },
    )
    agent = Agent.build(chat, settings.agent, settings.tools)
    snapshot = world.snapshot(folder)
    episode = Episode.start(agent, snapshot.items, snapshot.request("ann"))
    ranking = [*(chat.label_ids[label] for label in (0, 2, 1, 3)), chat.end_id]
    for ids in (chat.turn([], ToolCall("co_interactions")), chat.turn(["co_interactions"], None), ranking):
        episode.observe(Generated(ids, [0.0] * len(ids)))
    return str(tokenizer.decode(episode.ids, skip_special_tokens=False))
