"""The compact chat format: the tiny model's own tokenizer, in which an act is one control token.

An episode reads, each part with its own control tokens:

    <system> ... tools  <user> many events  <cand> <A> Toy Story <B> Heat ...
    <think> known ; sufficient no ; missing <t:co_interactions> <call> <t:co_interactions> <end>
    <result> <C> <9> <8> <A> <7> <3> <end>
    <think> known <t:co_interactions> ; sufficient yes <rank> <C>

Text from the data is encoded with control tokens switched off: whatever a title says, it stays text.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from recthinker.agent.calls import LABELS as LETTERS
from recthinker.agent.types import Act, Answer, Malformed
from recthinker.agent.wording import EVENT_COUNTS, count_words
from recthinker.errors import ConfigError
from recthinker.lookup.text import MAX_CHARACTERS
from recthinker.tools import Label, Level, Scene, Segment, Tool, ToolCall, ToolResult, Words
from recthinker.tools.user_history import shorten

PAD, SYSTEM, USER, CANDIDATES, THINK, CALL, RESULT, RANK, END = (
    "<pad>", "<system>", "<user>", "<cand>", "<think>", "<call>", "<result>", "<rank>", "<end>",
)  # fmt: skip
LABELS = tuple(f"<{letter}>" for letter in LETTERS)
LEVELS = tuple(f"<{digit}>" for digit in range(10))
CONTROL = (PAD, SYSTEM, USER, CANDIDATES, THINK, CALL, RESULT, RANK, END, *LABELS, *LEVELS)
"""The control tokens of every model; besides, there is one for each tool that the model was trained with."""
TOOL = re.compile(r"<t:([a-z][a-z0-9_]*)>")
"""The control token of a tool."""

INSTRUCTION = (
    "Rank the candidates for this user, the next choice first. Say what is known, whether it is sufficient, and what "
    "is missing; then look up one thing, or rank. Tools:"
)
KNOWN, MISSING, SUFFICIENT = "known", "sufficient no missing", "sufficient yes"
MAX_WORDS_TOKENS = 8
"""Tokens that one piece of text from the data may take."""
MAX_MESSAGE_TOKENS = 48
"""Tokens that a message about a wrong call may take."""
MOST_KEPT = 100_000
"""Texts whose tokens are remembered; turns whose acts are."""


def train_tokenizer(texts: Iterable[str], vocabulary: int, tool_names: Iterable[str]) -> Tokenizer:
    """A byte-level BPE tokenizer of `texts` and our own words, with the control tokens first, one for each tool."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    control = [*CONTROL, *(f"<t:{name}>" for name in tool_names)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in control],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    ours = [INSTRUCTION, KNOWN, MISSING, SUFFICIENT, *(words for _, words in EVENT_COUNTS)]
    tokenizer.train_from_iterator([*(f" {text}" for text in texts), *[f" {text}" for text in ours] * 100], trainer)
    return tokenizer


class CompactFormat:
    """Turns to tokens and back.

    Raises:
        ConfigError: the model's tokenizer is not one of this format.
    """

    name: ClassVar[str] = "compact"
    ask_tokens: ClassVar[int] = 2

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        tokenizer.encode_special_tokens = True
        ids = {token: id_ for token in CONTROL if (id_ := tokenizer.token_to_id(token)) is not None}
        missing = [token for token in CONTROL if token not in ids]
        if missing:
            raise ConfigError(
                f"the model's tokenizer lacks control tokens of the compact format ({', '.join(missing[:5])} ...); "
                "use a model that this pipeline trained, or set agent.chat_format: hermes for a pretrained one"
            )
        known = tokenizer.get_added_tokens_decoder()
        self.tool_ids = {
            match[1]: id_ for id_, token in sorted(known.items()) if (match := TOOL.fullmatch(token.content))
        }
        self.ids = ids | {f"<t:{name}>": id_ for name, id_ in self.tool_ids.items()}
        self.label_ids = tuple(ids[token] for token in LABELS)
        self.level_ids = tuple(ids[token] for token in LEVELS)
        self.stop_ids = (ids[END], ids[RANK])
        self.end_id, self.rank_id, self.pad_id = ids[END], ids[RANK], ids[PAD]
        self._label_of = {id_: index for index, id_ in enumerate(self.label_ids)}
        self._level_of = {id_: value for value, id_ in enumerate(self.level_ids)}
        self._tool_of = {id_: name for name, id_ in self.tool_ids.items()}
        # Most turns are what some user's model wrote before, and most titles are shown to many.
        self._act = lru_cache(MOST_KEPT)(self._parsed)
        self._title = lru_cache(MOST_KEPT)(self._shortened)
        self._words: dict[str, list[int]] = {}
        dropped = (PAD, SYSTEM, USER, CANDIDATES, THINK, RESULT, END)
        self._shown = {
            id_: "" if token in dropped else f" {token.strip('<>').removeprefix('t:')}"
            for token, id_ in self.ids.items()
        }

    @property
    def vocabulary(self) -> int:
        """Size of the vocabulary, control tokens included."""
        return int(self.tokenizer.get_vocab_size(with_added_tokens=True))

    def save(self, path: Path) -> None:
        """Write the tokenizer."""
        self.tokenizer.save(str(path))

    def list_tokens(self, candidates: int) -> int:
        """Tokens of a whole ranking, its end included."""
        return candidates + 1

    def system(self, tools: Mapping[str, Tool]) -> list[int]:
        """The part of the prompt that all users share.

        Raises:
            ConfigError: the model was trained without one of the tools.
        """
        unknown = [name for name in tools if name not in self.tool_ids]
        if unknown:
            raise ConfigError(
                f"the model was trained without the tools {', '.join(unknown)}; it knows {', '.join(self.tool_ids)}. "
                "Train a model with tools.enabled as it is now, or take them out of tools.enabled"
            )
        enabled = (self.tool_ids[name] for name in tools)
        return [self.ids[SYSTEM], *self.words(INSTRUCTION, limit=None), *enabled, self.end_id]

    def user(self, scene: Scene, max_title_words: int) -> list[int]:
        """The part of the prompt about one user: how much is known of them, and the labelled candidates."""
        ids = [self.ids[USER], *self.words(count_words(scene.request.event_count)), self.ids[CANDIDATES]]
        for label, title in enumerate(scene.items.titles(scene.candidates)):
            ids.append(self.label_ids[label])
            ids += self._title(title, max_title_words)
        return [*ids, self.end_id]

    def _shortened(self, title: str, words: int) -> list[int]:
        return self.words(shorten(title, words))

    def result(self, result: ToolResult) -> list[int]:
        """A tool's result."""
        limit = MAX_WORDS_TOKENS if result.is_valid else MAX_MESSAGE_TOKENS
        return [self.ids[RESULT], *self.segments(result.segments, limit), self.end_id]

    def ask(self, ids: Sequence[int]) -> list[int]:
        """What is put into the agent's mouth when it must answer; nothing where it asked to."""
        return [] if ids[-1] == self.rank_id else [self.ids[THINK], self.rank_id]

    def turn(self, known: Sequence[str], call: ToolCall | None) -> list[int]:
        """A well-formed turn: what is known, whether it is sufficient, and the call, or the answer if None."""
        ids = [self.ids[THINK], *self.words(KNOWN), *(self.tool_ids[name] for name in known)]
        if call is None:
            return [*ids, *self.words(SUFFICIENT), self.rank_id]
        arguments = [self.label_ids[label] for label in call.labels]
        if call.limit is not None:
            arguments.append(self.level_ids[call.limit])
        tool = self.tool_ids[call.name]
        return [*ids, *self.words(MISSING), tool, self.ids[CALL], tool, *arguments, self.end_id]

    def whole(self, ids: list[int]) -> tuple[list[int], list[int]]:
        """All of it, and nothing: the engine stops at a turn's end."""
        return ids, []

    def parse(self, ids: Sequence[int]) -> Act:
        """The act of a turn that the model wrote."""
        return self._act(tuple(ids))

    def _parsed(self, ids: tuple[int, ...]) -> Act:
        if ids and ids[-1] == self.rank_id:
            return Answer()
        if not ids or ids[-1] != self.end_id:
            return Malformed("the turn has no end")
        if self.ids[CALL] not in ids:
            return Malformed("the turn has neither a call nor an answer")
        name_id, *arguments = ids[ids.index(self.ids[CALL]) + 1 : -1] or (self.pad_id,)
        name = self._tool_of.get(name_id)
        if name is None:
            return Malformed("the call names no tool")
        labels = tuple(self._label_of[id_] for id_ in arguments if id_ in self._label_of)
        limits = [self._level_of[id_] for id_ in arguments if id_ in self._level_of]
        if len(labels) + len(limits) < len(arguments) or len(limits) > 1:
            return Malformed("the call's arguments are neither labels nor one limit")
        return ToolCall(name, labels, limits[0] if limits else None)

    def ranking(self, ids: Sequence[int], candidates: int) -> list[int | None]:
        """The labels of a ranking that the model wrote out, best first; None for what is no candidate's label."""
        places = {self.label_ids[place]: place for place in range(candidates)}
        return [places.get(id_) for id_ in ids if id_ != self.end_id]

    def segments(self, segments: Iterable[Segment], limit: int = MAX_WORDS_TOKENS) -> list[int]:
        """Segments as tokens, at most `limit` for a piece of text."""
        ids: list[int] = []
        for segment in segments:
            match segment:
                case Label(place):
                    ids.append(self.label_ids[place])
                case Level(value):
                    ids.append(self.level_ids[value])
                case Words(text):
                    ids += self.words(text, limit)
        return ids

    def words(self, text: str, limit: int | None = MAX_WORDS_TOKENS) -> list[int]:
        """Text as tokens, none of them a control token."""
        shown = text if limit is None else text[:MAX_CHARACTERS]
        ids = self._words.get(shown)
        if ids is None:
            ids = self.tokenizer.encode(f" {shown}", add_special_tokens=False).ids
            if len(self._words) < MOST_KEPT:
                self._words[shown] = ids
        return ids[:limit]

    def text(self, ids: Sequence[int]) -> str:
        """Tokens as people read them: labels and levels plain, control tokens dropped."""
        parts: list[str] = []
        run: list[int] = []
        for id_ in [*ids, self.pad_id]:
            shown = self._shown.get(id_)
            if shown is None:
                run.append(id_)
                continue
            parts.append(self.tokenizer.decode(run) if run else "")
            run = []
            parts.append(shown)
        return " ".join("".join(parts).split())
