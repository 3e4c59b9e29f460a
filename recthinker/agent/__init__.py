"""The Analyze-Plan-Act agent (RecThinker, arXiv 2603.09843): chat formats, episode state machine, records."""

from recthinker.agent.agent import Agent
from recthinker.agent.chat_format import ChatFormat
from recthinker.agent.compact import CompactFormat, train_tokenizer
from recthinker.agent.episode import CalledTool, Episode, TokenCount, candidate_order
from recthinker.agent.formats import load_format
from recthinker.agent.hermes import HermesFormat
from recthinker.agent.types import Generate, Generated, Outcome, StopReason

__all__ = [
    "Agent",
    "CalledTool",
    "ChatFormat",
    "CompactFormat",
    "Episode",
    "Generate",
    "Generated",
    "HermesFormat",
    "Outcome",
    "StopReason",
    "TokenCount",
    "candidate_order",
    "load_format",
    "train_tokenizer",
]
