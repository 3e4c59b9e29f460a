"""The words of an episode: acts, outcomes, why it stopped, and what the driver passes to and from an engine."""

from dataclasses import dataclass
from enum import StrEnum

from recthinker.tools import ToolCall


class Outcome(StrEnum):
    """How a user's night ended; the counts sum to the users asked for."""

    RANKED = "ranked"
    """The agent answered."""
    REPAIRED = "repaired"
    """The agent did not end a turn as the format asks, and was made to answer with what it had read; or the list that
    it wrote was not quite one of all candidates, and was put right."""
    FALLBACK_INVALID = "fallback_invalid"
    """No usable answer: the candidate order is served."""
    FALLBACK_TIMEOUT = "fallback_timeout"
    """Out of time: the candidate order is served."""
    FALLBACK_ERROR = "fallback_error"
    """The episode failed in our own code: the candidate order is served."""
    UNCHANGED = "unchanged"
    """Nothing that the agent read has changed: last night's ranking is kept."""

    @property
    def is_fallback(self) -> bool:
        """Whether the candidate order was served."""
        return self.value.startswith("fallback")

    @property
    def source(self) -> str:
        """The word that apps read in `recommendations.source`."""
        if self.is_fallback:
            return "fallback"
        return "repaired" if self is Outcome.REPAIRED else "agent"


class StopReason(StrEnum):
    """Why an episode ended."""

    ANSWERED = "answered"
    """The agent judged what it knew sufficient."""
    CALL_LIMIT = "call_limit"
    """It had used all its calls and was made to answer."""
    TOKEN_LIMIT = "token_limit"
    """No room for another turn; it was made to answer."""
    UNFINISHED_TURN = "unfinished_turn"
    """A turn ended with neither a call nor an answer; it was made to answer."""
    PROMPT_TOO_LONG = "prompt_too_long"
    """The prompt alone exceeds the token limit."""
    NO_ANSWER = "no_answer"
    """The answer held no usable scores, or no list with at least half of the labels."""
    TIMEOUT = "timeout"
    """The episode ran longer than its limit."""
    ERROR = "error"
    """Our own code failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The act of answering: the ranking is read next."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A turn that is no act."""

    why: str


Act = ToolCall | Answer | Malformed


@dataclass(frozen=True, slots=True)
class Generate:
    """What an episode wants from the engine next."""

    token_ids: list[int]
    """The whole episode so far."""
    max_tokens: int
    stop_ids: tuple[int, ...]
    """Generation ends after one of these."""
    score_ids: tuple[int, ...] = ()
    """Tokens whose logprobs, as the next token, are asked for; the answer's labels."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What the engine wrote."""

    token_ids: list[int]
    logprobs: list[float]
    """Of each token written."""
    cached_tokens: int = 0
    """Prompt tokens that came from the prefix cache."""
    scores: tuple[float, ...] = ()
    """Logprobs of `score_ids`, in their order."""
