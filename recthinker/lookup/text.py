"""Text from outside as it may be shown, to the agent and to people.

What cannot be seen can mislead: characters that turn the direction of what follows, that are invisible, that steer a
terminal, or that pile up. Plain text comes back as it is. Source: Unicode general categories, Boucher and Anderson,
Trojan Source (2021), https://trojansource.codes.
"""

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

MAX_CHARACTERS = 200
"""Characters of a name that are looked at; more could not matter, and tokenizing a megabyte takes seconds."""
MOST_MARKS = 3
"""Combining marks that one letter keeps; Hebrew and Vietnamese need up to three."""
FIRST_MARK = "\u0300"
"""The first combining mark; what is printable and below it is plain."""
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Joiners and fillers: invisible, though of no category that says so."""
SPACES = ("Cc", "Zs", "Zl", "Zp")
"""Categories shown as a space: control characters, and spaces of all kinds."""
UNKNOWN = ("Cs", "Co", "Cn")
"""Categories that nobody can read: lone surrogates, private and unassigned characters."""
UNREADABLE = "\ufffd"


def readable(text: str, limit: int | None = MAX_CHARACTERS) -> str:
    """The first `limit` characters of a text, each as it may be shown or left out."""
    text = text[:limit]
    if text.isprintable() and (text.isascii() or max(text) < FIRST_MARK):
        return text
    shown: list[str] = []
    marks = 0
    for letter in text:
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind[0] == "M" else 0
        if kind in SPACES:
            shown.append(" ")
        elif kind in UNKNOWN:
            shown.append(UNREADABLE)
        elif kind != "Cf" and marks <= MOST_MARKS and letter not in INVISIBLE and not _selects(letter):
            shown.append(letter)
    return "".join(shown)


def _selects(letter: str) -> bool:
    """Whether it chooses another form of the letter before it."""
    return "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef"


def readable_column(column: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """`readable` of each string of a column; bytes that are no UTF-8 are replaced."""
    return readable_codes(column).dictionary_decode()


def readable_codes(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """Likewise, each text stored once: for columns of few different ones."""
    coded = pc.dictionary_encode(column.cast(pa.binary()))
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    # A character takes at most four bytes.
    texts = [str(text.as_buffer()[: 4 * MAX_CHARACTERS], "utf-8", "replace") for text in coded.dictionary]
    shown = pa.array([readable(text) for text in texts], pa.string())
    return pa.DictionaryArray.from_arrays(coded.indices, shown)
