"""One episode as a state machine: `next_request()` says what the engine should write, `observe()` takes it.

    turn -> (call -> tool result -> turn)* -> answer -> done

Token ids are recorded once, as written, and never tokenized again; `mask` marks what the model wrote.
"""

import hashlib
import math
from dataclasses import dataclass, field

import numpy as np

from recthinker.agent.compact import CompactFormat
from recthinker.agent.types import Answer, Generate, Generated, Malformed, Outcome, StopReason
from recthinker.lookup import ItemRows, RequestRow
from recthinker.settings import AgentSettings, ToolSettings
from recthinker.tools import Scene, Toolbox, ToolCall, ToolResult

ANSWER_TOKENS = 4
"""Tokens that a forced answer takes: two that ask for it, the label, the end."""


@dataclass(frozen=True, slots=True)
class Agent:
    """What all episodes of a run share."""

    chat: CompactFormat
    toolbox: Toolbox
    settings: AgentSettings

    @classmethod
    def build(cls, chat: CompactFormat, agent: AgentSettings, tools: ToolSettings) -> "Agent":
        """An agent with the tools that settings enable."""
        return cls(chat, Toolbox(tools), agent)

    @property
    def system_ids(self) -> list[int]:
        """The prompt's shared part."""
        return self.chat.system(self.toolbox.tools)

    @property
    def prompt_version(self) -> str:
        """Hash of everything that shapes a prompt besides the data: format, shared part, tools, limits."""
        text = f"{self.chat.name}|{self.system_ids}|{self.toolbox.settings!r}|{self.settings!r}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class CalledTool:
    """A call and its result."""

    call: ToolCall
    result: ToolResult


@dataclass(slots=True)
class TokenCount:
    """Tokens of all requests of an episode."""

    prompt: int = 0
    cached: int = 0
    generated: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of the episode: `start` to the next turn's start in `ids`."""

    role: str
    start: int


def candidate_order(key: str, count: int, seed: int) -> np.ndarray:
    """The seeded order in which `count` candidates are shown to the request `key`, (count,)."""
    digest = hashlib.blake2b(f"{seed}|{key}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big")).permutation(count)


@dataclass(slots=True)
class Episode:
    """The state of one episode."""

    agent: Agent
    scene: Scene
    ids: list[int]
    mask: list[int]
    logprobs: list[float]
    turns: list[Turn]
    calls: list[CalledTool] = field(default_factory=list)
    tokens: TokenCount = field(default_factory=TokenCount)
    outcome: Outcome | None = None
    """None while the episode lives."""
    stop_reason: StopReason | None = None
    detail: str = ""
    """More about the stop, for people."""
    label_scores: tuple[float, ...] = ()
    """Logprob of each label at the answer, (N,)."""
    seconds: float = 0.0

    @classmethod
    def start(cls, agent: Agent, items: ItemRows, request: RequestRow) -> "Episode":
        """A new episode, its prompt rendered."""
        order = candidate_order(request.key, len(request.candidates), agent.settings.seed)
        scene = Scene(items, request, order)
        ids = [*agent.system_ids, *agent.chat.user(scene, agent.toolbox.settings.max_title_words)]
        episode = cls(agent, scene, ids, [0] * len(ids), [0.0] * len(ids), [Turn("prompt", 0)])
        if not episode.has_room(0):
            episode.fall_back(Outcome.FALLBACK_INVALID, StopReason.PROMPT_TOO_LONG)
        return episode

    @classmethod
    def failed(cls, agent: Agent, items: ItemRows, request: RequestRow, error: Exception) -> "Episode":
        """An episode that could not even begin: the candidate order is served."""
        scene = Scene(items, request, np.arange(len(request.candidates)))
        episode = cls(agent, scene, [], [], [], [])
        episode.fall_back(Outcome.FALLBACK_ERROR, StopReason.ERROR, repr(error))
        return episode

    @property
    def is_done(self) -> bool:
        """Whether the episode has an outcome."""
        return self.outcome is not None

    @property
    def is_answering(self) -> bool:
        """Whether the next token is the answer."""
        return self.ids[-1] == self.agent.chat.rank_id

    def has_room(self, tokens: int) -> bool:
        """Whether that many tokens, another turn, and then a forced answer still fit."""
        settings = self.agent.settings
        return len(self.ids) + tokens + settings.max_turn_tokens + ANSWER_TOKENS <= settings.max_episode_tokens

    def next_request(self) -> Generate:
        """What the engine should write next."""
        chat = self.agent.chat
        if self.is_answering:
            return Generate(self.ids, 1, (), chat.label_ids[: len(self.scene.order)])
        return Generate(self.ids, self.agent.settings.max_turn_tokens, chat.stop_ids)

    def observe(self, generated: Generated) -> None:
        """Take what the engine wrote, and act on it."""
        self.tokens.prompt += len(self.ids)
        self.tokens.cached += generated.cached_tokens
        self.tokens.generated += len(generated.token_ids)
        answering = self.is_answering
        if not answering:
            self.turns.append(Turn("agent", len(self.ids)))
        self.ids += generated.token_ids
        self.mask += [1] * len(generated.token_ids)
        self.logprobs += generated.logprobs
        if answering:
            self._answer(generated.scores)
        else:
            self._act(generated.token_ids)

    def fall_back(self, outcome: Outcome, reason: StopReason, detail: str = "") -> None:
        """End without an answer: the candidate order is served."""
        self.outcome, self.stop_reason, self.detail = outcome, reason, detail

    def _act(self, written: list[int]) -> None:
        match self.agent.chat.parse(written):
            case Answer():
                self.stop_reason = StopReason.ANSWERED
            case Malformed(why):
                self.detail = why
                self._force(StopReason.UNFINISHED_TURN)
            case ToolCall() as call:
                self._call(call)

    def _call(self, call: ToolCall) -> None:
        settings = self.agent.settings
        if len(self.calls) >= settings.max_calls:
            self._force(StopReason.CALL_LIMIT)
            return
        result = self.agent.toolbox.call(self.scene, call)
        rendered = self.agent.chat.result(result)
        if not self.has_room(len(rendered)):
            self._force(StopReason.TOKEN_LIMIT)
            return
        self.calls.append(CalledTool(call, result))
        self.turns.append(Turn("tool", len(self.ids)))
        self._say(rendered)

    def _force(self, reason: StopReason) -> None:
        """Make the agent answer with what it knows."""
        self.stop_reason = reason
        self.turns.append(Turn("tool", len(self.ids)))
        self._say(self.agent.chat.forced_answer())

    def _say(self, ids: list[int]) -> None:
        """Add tokens that the model did not write."""
        self.ids += ids
        self.mask += [0] * len(ids)
        self.logprobs += [0.0] * len(ids)

    def _answer(self, scores: tuple[float, ...]) -> None:
        if len(scores) != len(self.scene.order) or not all(map(math.isfinite, scores)):
            self.fall_back(Outcome.FALLBACK_INVALID, StopReason.NO_ANSWER)
            return
        self.label_scores = scores
        self._say([self.agent.chat.end_id])
        self.outcome = Outcome.REPAIRED if self.stop_reason is StopReason.UNFINISHED_TURN else Outcome.RANKED

    def ranking(self) -> list[tuple[int, float]]:
        """Places in `request.candidates` with their scores, best first; the candidate order after a fallback."""
        count = len(self.scene.order)
        if not self.label_scores:
            return [(place, -float(place)) for place in range(count)]
        ranked = np.argsort(-np.array(self.label_scores), kind="stable")
        return [(int(self.scene.order[label]), float(self.label_scores[label])) for label in ranked]

    def fingerprint(self, model_version: str) -> str:
        """Hash of all that the episode depended on, as the model read it."""
        read = [id_ for id_, written in zip(self.ids, self.mask, strict=True) if not written]
        # Items by id: their codes are those of one snapshot.
        candidates = [self.scene.items.item_id(int(code)) for code in self.scene.request.candidates]
        text = f"{model_version}|{self.agent.prompt_version}|{candidates}|{read}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]
