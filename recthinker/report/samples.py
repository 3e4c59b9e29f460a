"""A decoded sample with what is trained in [[ ]], as lines of spans that a page can mark."""

import re
from dataclasses import dataclass

MOST_CHARACTERS = 6000
"""Of a sample that are shown."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text within a line."""

    text: str
    is_trained: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """A text that people should look at."""

    stage: str
    name: str
    """Its file's."""
    lines: tuple[tuple[Span, ...], ...]
    characters: int
    """Of the whole text; no more than `MOST_CHARACTERS` are shown."""

    @property
    def is_marked(self) -> bool:
        """Whether something in it is trained."""
        return any(span.is_trained for line in self.lines for span in line)

    @property
    def is_cut(self) -> bool:
        """Whether its end is not shown."""
        return self.characters > MOST_CHARACTERS


def read_sample(stage: str, name: str, text: str) -> Sample:
    """The sample; a mark that opens or closes nothing is text like any other."""
    lines: list[list[Span]] = [[]]
    is_trained = False
    for piece in re.split(r"(\[\[|\]\]|\n)", text[:MOST_CHARACTERS]):
        if piece == "\n":
            lines.append([])
        elif piece == ("]]" if is_trained else "[["):
            is_trained = not is_trained
        elif piece:
            lines[-1].append(Span(piece, is_trained))
    return Sample(stage, name, tuple(map(tuple, lines)), len(text))
