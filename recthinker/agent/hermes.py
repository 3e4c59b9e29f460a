"""The hermes chat format, for pretrained models: ChatML turns, tools as JSON schemas, calls as JSON (Qwen's way).

    <|im_start|>system
    ... <tools> ... </tools> ...<|im_end|>
    <|im_start|>user
    Candidates: A: Toy Story ...<|im_end|>
    <|im_start|>assistant
    Known: nothing
    Sufficient: no
    Missing: co_interactions
    <tool_call>
    {"name": "co_interactions", "arguments": {}}
    </tool_call><|im_end|>

The template is our own and fixed: the one that Qwen3 ships takes old <think> parts out, so that an episode would not
be a prefix of what it becomes. Text from the data is encoded by a tokenizer to which all control tokens are plain text,
and its angle brackets become others: where `<tool_call>` is no token, it must not be spelled either.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from tokenizers import Tokenizer

from recthinker.agent.calls import LABELS, read_call, schema
from recthinker.agent.hermes_words import ANSWER, ASK, CALL, CALL_END, JUDGEMENT, SYSTEM, USER, turn_text
from recthinker.agent.types import Act, Answer, Malformed
from recthinker.agent.wording import count_words
from recthinker.errors import ConfigError
from recthinker.lookup.text import readable
from recthinker.tools import Label, Level, Scene, Segment, Tool, ToolCall, ToolResult, Words
from recthinker.tools.user_history import shorten

START, END, DOCUMENT_END = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
RESULT, RESULT_END = "<tool_response>", "</tool_response>"
THINK, THINK_END = "<think>", "</think>"
MAX_WORDS_TOKENS = 16
"""Tokens that one piece of text from the data may take."""
MAX_MESSAGE_TOKENS = 48
"""Tokens that a message about a wrong call may take."""
TOKENS_PER_LABEL = 2
"""Tokens that a label of a written ranking may take: itself, and a comma or the like."""

SUFFICIENT = re.compile(r"^\s*sufficient:\s*yes\b", re.IGNORECASE | re.MULTILINE)
BETWEEN_LABELS = re.compile(r"[\s,>]+")
BRACKETS = str.maketrans("<>", "‹›")


class HermesFormat:
    """Turns to tokens and back.

    Raises:
        ConfigError: the model's tokenizer has no ChatML tokens, or no label that is one token.
    """

    name: ClassVar[str] = "hermes"

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._ours = Tokenizer.from_str(tokenizer.to_str())
        self._ours.encode_special_tokens = False
        self._data = _without_control(tokenizer)
        end, others = self._id(END), [self._id(token) for token in (START, DOCUMENT_END)]
        if end is None or others[0] is None:
            raise ConfigError(
                f"the model's tokenizer lacks {START} or {END}, which the hermes format needs; take a model "
                "with ChatML turns (as Qwen's), or set agent.chat_format: compact for one that this pipeline trained"
            )
        self.stop_ids = (end, *(id_ for id_ in others if id_ is not None))
        self.end_id = end
        self.label_ids = self._label_ids()
        # A model that reasons at length is told that it has: what is known is said in the turn instead.
        thought = f"{THINK}\n\n{THINK_END}\n\n" if self._id(THINK) is not None else ""
        self._assistant = self._encode(f"{END}\n{START}assistant\n{thought}{JUDGEMENT}")
        self._ask = self._encode(f"\n{START}user\n{ASK}{END}\n{START}assistant\n{thought}{ANSWER}")
        self._shown_labels = [self._encode(f"\n{label}:") for label in LABELS]
        self._levels = [self._encode(f" {level}") for level in range(10)]
        self._words: dict[str, list[int]] = {}

    @property
    def ask_tokens(self) -> int:
        """Most tokens that `ask` takes."""
        return 1 + len(self._ask)

    def list_tokens(self, candidates: int) -> int:
        """Most tokens that the model may take to write a ranking out, its end included."""
        return TOKENS_PER_LABEL * candidates + 1

    def system(self, tools: Mapping[str, Tool]) -> list[int]:
        """The part of the prompt that all users share."""
        first = next(iter(tools))
        text = SYSTEM.format(
            tools="\n".join(json.dumps(schema(tool)) for tool in tools.values()),
            call=JUDGEMENT + turn_text([], ToolCall(first)),
        )
        return self._encode(f"{START}system\n{text}{END}\n{START}user\n")

    def user(self, scene: Scene, max_title_words: int) -> list[int]:
        """The part of the prompt about one user: how much is known of them, and the labelled candidates."""
        ids = self._encode(USER.format(events=count_words(scene.request.event_count)))
        for label, title in enumerate(scene.items.titles(scene.candidates)):
            ids += self._shown_labels[label]
            ids += self.words(shorten(title, max_title_words))
        return [*ids, *self._assistant]

    def result(self, result: ToolResult) -> list[int]:
        """A tool's result, as a turn of the user's, up to where the model goes on."""
        limit = MAX_WORDS_TOKENS if result.is_valid else MAX_MESSAGE_TOKENS
        opened, closed = self._encode(f"\n{START}user\n{RESULT}\n"), self._encode(f"\n{RESULT_END}")
        return [*opened, *self.segments(result.segments, limit), *closed, *self._assistant]

    def ask(self, ids: Sequence[int]) -> list[int]:
        """The question for the ranking, and its first word in the model's mouth; a turn cut short is ended first."""
        return self._ask if ids[-1] == self.end_id else [self.end_id, *self._ask]

    def turn(self, known: Sequence[str], call: ToolCall | None) -> list[int]:
        """A well-formed turn: what is known, whether it is sufficient, and the call, or none for the answer."""
        return self._encode(f"{turn_text(known, call)}{END}")

    def whole(self, ids: list[int]) -> tuple[list[int], list[int]]:
        """The turn up to its first closed call, and its end where the model wrote on instead.

        What a model makes up after a call, as a second one or the result itself, must not be read as if it were so.
        """
        if CALL_END not in self._decode(ids):
            return ids, []
        count = bisect_left(range(len(ids)), True, key=lambda n: CALL_END in self._decode(ids[:n]))
        is_ended = ids[count : count + 1] == [self.end_id]
        return (ids[: count + 1], []) if is_ended else (ids[:count], [self.end_id])

    def parse(self, ids: Sequence[int]) -> Act:
        """The act of a turn that the model wrote: one call and nothing after it, or that what is known suffices."""
        if not ids or ids[-1] != self.end_id:
            return Malformed("the turn has no end")
        text = self._decode(ids[:-1])
        analysis, opened, rest = text.partition(CALL)
        if not opened:
            is_answer = SUFFICIENT.search(analysis) is not None
            return Answer() if is_answer else Malformed("the turn has neither a call nor an answer")
        call, closed, after = rest.rpartition(CALL_END)
        if not closed or after.strip() or CALL in call:
            return Malformed("the turn does not end with one whole call")
        return read_call(call)

    def ranking(self, ids: Sequence[int], candidates: int) -> list[int | None]:
        """The labels of a ranking that the model wrote out, best first; None for what is no candidate's label."""
        text = self._decode([id_ for id_ in ids if id_ not in self.stop_ids])
        places = {label: place for place, label in enumerate(LABELS[:candidates])}
        return [places.get(piece) for piece in BETWEEN_LABELS.split(text) if piece]

    def segments(self, segments: Iterable[Segment], limit: int = MAX_WORDS_TOKENS) -> list[int]:
        """Segments of a result as tokens: a line for each label, `|` before words after levels, `;` between words, and
        `-` before words at the start: no word from the data can pass for a label or a level.
        """
        ids: list[int] = []
        before: Segment | None = None
        for segment in segments:
            match segment:
                case Label(place):
                    ids += self._encode(f"\n{LABELS[place]}" if before else LABELS[place])
                case Level(value):
                    ids += self._levels[value]
                case Words(text):
                    mark = "-" if before is None else ";" if isinstance(before, Words) else " |"
                    ids += [*self._encode(mark), *self.words(text, limit)]
            before = segment
        return ids

    def words(self, text: str, limit: int = MAX_WORDS_TOKENS) -> list[int]:
        """Text from the data as tokens: one line, without control tokens, angle brackets or invisible characters."""
        ids = self._words.get(text)
        if ids is None:
            line = " ".join(readable(text).translate(BRACKETS).split())
            ids = self._data.encode(f" {line}", add_special_tokens=False).ids
            if len(self._words) < 100_000:
                self._words[text] = ids
        return ids[:limit]

    def text(self, ids: Sequence[int]) -> str:
        """Tokens as people read them, on one line, without the marks between turns."""
        return " ".join(re.sub(rf"{re.escape(START)}\w*|{re.escape(END)}", " ", self._decode(ids)).split())

    def _encode(self, text: str) -> list[int]:
        """Our own text, in which control tokens are what they say."""
        ids: list[int] = self._ours.encode(text, add_special_tokens=False).ids
        return ids

    def _id(self, token: str) -> int | None:
        return self._ours.token_to_id(token)

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self._ours.decode(list(ids), skip_special_tokens=False))

    def _label_ids(self) -> tuple[int, ...]:
        before = self._encode(ANSWER)
        read = [self._encode(f"{ANSWER} {label}") for label in LABELS]
        wrong = [label for label, ids in zip(LABELS, read, strict=True) if ids[:-1] != before]
        if wrong:
            raise ConfigError(
                f"labels should be one token each after '{ANSWER}'; in the model's tokenizer {', '.join(wrong[:5])} "
                "are not. Take a model with a byte-level BPE tokenizer (as Qwen, Llama 3 and SmolLM have)"
            )
        return tuple(ids[-1] for ids in read)


def _without_control(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer with all added tokens as plain text.

    Some are not marked as special (Qwen's <tool_call> is one): only those that are can be switched off.
    """
    model = json.loads(tokenizer.to_str())
    model["added_tokens"] = [token | {"special": True} for token in model["added_tokens"]]
    plain = Tokenizer.from_str(json.dumps(model))
    plain.encode_special_tokens = True
    return plain
