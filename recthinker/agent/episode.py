"""One episode as a state machine: `next_request()` says what the engine should write, `observe()` takes it.

    turn -> (call -> tool result -> turn)* -> answer -> done

Token ids are recorded once, as written, and never tokenized again; `mask` marks what the model wrote.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from recthinker.agent.agent import Agent
from recthinker.agent.answers import Reading, read_list, read_scores
from recthinker.agent.types import Answer, Generate, Generated, Malformed, Outcome, StopReason
from recthinker.lookup import ItemRows, RequestRow
from recthinker.tools import Scene, ToolCall, ToolResult


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
    is_answering: bool = False
    """Whether what is written next is the answer."""
    answer_at: int | None = None
    """Place in `ids` where the answer begins; None until it is asked for."""
    label_scores: tuple[float, ...] = ()
    """Score of each label, (N,): its logprob at the answer, or 0, -1, -2, ... down a list that was written out."""
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
    def answer_limit(self) -> int:
        """Most tokens that the model may write as its answer."""
        is_list = self.agent.settings.ranking == "generate"
        return self.agent.chat.list_tokens(len(self.scene.order)) if is_list else 1

    def has_room(self, tokens: int) -> bool:
        """Whether that many tokens, another turn, and then a forced answer with its end still fit."""
        settings = self.agent.settings
        answer = self.agent.chat.ask_tokens + self.answer_limit + 1
        return len(self.ids) + tokens + settings.max_turn_tokens + answer <= settings.max_episode_tokens

    def next_request(self) -> Generate:
        """What the engine should write next."""
        chat, settings = self.agent.chat, self.agent.settings
        if not self.is_answering:
            return Generate(self.ids, settings.max_turn_tokens, chat.stop_ids)
        if settings.ranking == "generate":
            return Generate(self.ids, self.answer_limit, chat.stop_ids)
        return Generate(self.ids, self.answer_limit, (), chat.label_ids[: len(self.scene.order)])

    def observe(self, generated: Generated) -> None:
        """Take what the engine wrote, and act on it."""
        self.tokens.prompt += len(self.ids)
        self.tokens.cached += generated.cached_tokens
        self.tokens.generated += len(generated.token_ids)
        if not self.is_answering:
            self.turns.append(Turn("agent", len(self.ids)))
        if self.is_answering:
            self._take(*self._answered(generated))
            self._answer(self._read(generated))
        else:
            written, end = self.agent.chat.whole(generated.token_ids)
            self._take(written, generated.logprobs)
            self._say(end)
            self._act([*written, *end])

    def fall_back(self, outcome: Outcome, reason: StopReason, detail: str = "") -> None:
        """End without an answer: the candidate order is served."""
        self.outcome, self.stop_reason, self.detail = outcome, reason, detail

    def _answered(self, generated: Generated) -> tuple[list[int], list[float]]:
        """The answer as it is recorded: where labels are read and another token came out, the best label."""
        written, scores = generated.token_ids, generated.scores
        labels = self.agent.chat.label_ids[: len(scores)]
        if not scores or written[0] in labels:
            return written, generated.logprobs
        best = max(range(len(scores)), key=scores.__getitem__)
        return [labels[best]], [scores[best]]

    def _take(self, written: list[int], logprobs: list[float]) -> None:
        """Add tokens that the model wrote, with the logprobs of as many."""
        self.ids += written
        self.mask += [1] * len(written)
        self.logprobs += logprobs[: len(written)]

    def _act(self, written: list[int]) -> None:
        match self.agent.chat.parse(written):
            case Answer():
                self.stop_reason = StopReason.ANSWERED
                self._ask()
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
        self._ask()

    def _ask(self) -> None:
        """Let the answer come next."""
        self._say(self.agent.chat.ask(self.ids))
        self.answer_at, self.is_answering = len(self.ids), True

    def _say(self, ids: list[int]) -> None:
        """Add tokens that the model did not write."""
        self.ids += ids
        self.mask += [0] * len(ids)
        self.logprobs += [0.0] * len(ids)

    def _read(self, generated: Generated) -> Reading:
        count = len(self.scene.order)
        if self.agent.settings.ranking == "generate":
            return read_list(self.agent.chat.ranking(generated.token_ids, count), count)
        return read_scores(generated.scores, count)

    def _answer(self, reading: Reading) -> None:
        if not reading.scores:
            self.fall_back(Outcome.FALLBACK_INVALID, StopReason.NO_ANSWER, reading.fault)
            return
        self.label_scores = reading.scores
        if self.ids[-1] != self.agent.chat.end_id:
            self._say([self.agent.chat.end_id])
        self.detail = self.detail or reading.fault
        is_repaired = reading.fault or self.stop_reason is StopReason.UNFINISHED_TURN
        self.outcome = Outcome.REPAIRED if is_repaired else Outcome.RANKED

    def ranked_labels(self) -> list[tuple[int, float]]:
        """Labels with their scores, best first; in the candidate order after a fallback."""
        if not self.label_scores:
            return [(label, -float(place)) for place, label in enumerate(self.scene.order.argsort().tolist())]
        scores = np.array(self.label_scores, float)
        ranked = (-scores).argsort(kind="stable")
        return list(zip(ranked.tolist(), scores[ranked].tolist(), strict=True))

    def ranking(self) -> list[tuple[int, float]]:
        """Places in `request.candidates` with their scores, likewise."""
        place_of = self.scene.order.tolist()
        return [(place_of[label], score) for label, score in self.ranked_labels()]

    def fingerprint(self, model_version: str) -> str:
        """Hash of all that the episode depended on, as the model read it."""
        read = [id_ for id_, written in zip(self.ids, self.mask, strict=True) if not written]
        # Items by id: their codes are those of one snapshot.
        candidates = self.scene.items.item_ids(self.scene.request.candidates)
        text = f"{model_version}|{self.agent.prompt_version}|{candidates}|{read}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]
