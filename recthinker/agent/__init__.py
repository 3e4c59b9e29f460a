"""The Analyze-Plan-Act agent (RecThinker, arXiv 2603.09843): chat format, episode state machine, records."""

from recthinker.agent.compact import CompactFormat, train_tokenizer
from recthinker.agent.episode import Agent, CalledTool, Episode, TokenCount, candidate_order
from recthinker.agent.types import Generate, Generated, Outcome, StopReason

__all__ = [
    "Agent",
    "CalledTool",
    "CompactFormat",
    "Episode",
    "Generate",
    "Generated",
    "Outcome",
    "StopReason",
    "TokenCount",
    "candidate_order",
    "train_tokenizer",
]
