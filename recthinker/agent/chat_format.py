"""What an episode needs of a chat format: its parts as tokens, and back from tokens to acts.

Tokens in, tokens out: each part is rendered once and appended, so that an episode is a prefix of what it becomes. Text
from the data can never become a control token, nor anything else that has a meaning in the format.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from recthinker.agent.types import Act
from recthinker.tools import Scene, Segment, Tool, ToolCall, ToolResult


class ChatFormat(Protocol):
    """Turns to tokens and back; one class, one file. It is found by its name in `recthinker.agent.formats`."""

    @property
    def name(self) -> str:
        """As in `agent.chat_format`."""
        ...

    @property
    def label_ids(self) -> tuple[int, ...]:
        """The token of each label where the answer is read, first = A."""
        ...

    @property
    def stop_ids(self) -> tuple[int, ...]:
        """Tokens after which the model has finished a turn."""
        ...

    @property
    def end_id(self) -> int:
        """The token that ends an answer."""
        ...

    @property
    def ask_tokens(self) -> int:
        """Most tokens that `ask` takes."""
        ...

    def list_tokens(self, candidates: int) -> int:
        """Most tokens that the model may take to write a ranking out, its end included."""
        ...

    def system(self, tools: Mapping[str, Tool]) -> list[int]:
        """The part of the prompt that all users share."""
        ...

    def user(self, scene: Scene, max_title_words: int) -> list[int]:
        """The part of the prompt about one user: how much is known of them, and the labelled candidates."""
        ...

    def result(self, result: ToolResult) -> list[int]:
        """A tool's result, up to where the model goes on."""
        ...

    def ask(self, ids: Sequence[int]) -> list[int]:
        """What follows the episode `ids` so that the answer comes next: nothing where the model has said so itself."""
        ...

    def turn(self, known: Sequence[str], call: ToolCall | None) -> list[int]:
        """A well-formed turn: what is known, whether it is sufficient, and the call, or the answer if None."""
        ...

    def whole(self, ids: list[int]) -> tuple[list[int], list[int]]:
        """What counts of a turn that the model wrote, and what must be said after it for the turn to have an end."""
        ...

    def parse(self, ids: Sequence[int]) -> Act:
        """The act of a turn that the model wrote."""
        ...

    def ranking(self, ids: Sequence[int], candidates: int) -> list[int | None]:
        """The labels of a ranking that the model wrote out, best first; None for what is no candidate's label."""
        ...

    def segments(self, segments: Iterable[Segment]) -> list[int]:
        """Segments of a result as tokens."""
        ...

    def text(self, ids: Sequence[int]) -> str:
        """Tokens as people read them, on one line."""
        ...
