import pyarrow as pa
import pytest

from recthinker.lookup.text import MAX_CHARACTERS, readable, readable_column


@pytest.mark.parametrize(
    "text", ["", "Heat (1995)", "Amélie  –  deux", "千と千尋の神隠し", "Việt", "שָׁלוֹם", "हिन्दी", "🎬 film"]
)
def test_plain_text_comes_back_as_it_is(text: str) -> None:
    assert readable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("safe\u202egnp.exe\u202c", "safegnp.exe"),
        ("\u2066a\u2069\u200fb\u061c", "ab"),
        ("H\u200be\u200ca\u2060t\ufeff", "Heat"),
        ("a\u00adb\U000e0041\U000e0101\ufe0f", "ab"),
        ("\u3164\u115f\u2800", ""),
        ("Red\x1b[31m\x00\x07\x9b", "Red [31m   "),
        ("a\nb\u2028c\u00a0d", "a b c d"),
        ("\ud800x\ue000\uffff", "\ufffdx\ufffd\ufffd"),
        ("Z" + "\u0301" * 500, "Z\u0301\u0301\u0301"),
    ],
)
def test_what_cannot_be_seen_or_misleads_is_left_out(text: str, shown: str) -> None:
    assert readable(text) == shown


def test_only_the_beginning_is_looked_at() -> None:
    assert readable("x" * 1_000_000) == "x" * MAX_CHARACTERS
    assert readable("\u200b" * MAX_CHARACTERS + "x") == ""
    assert readable("x" * 300, limit=None) == "x" * 300


def test_a_column_is_read_value_by_value_even_where_its_bytes_are_no_text() -> None:
    broken = pa.array([b"a\xffb", b"a\xffb", b"x" * 5000, "\U0001f3ac".encode() * 300], pa.binary())
    column = pa.chunked_array([pa.Array.from_buffers(pa.string(), len(broken), broken.buffers())])
    assert readable_column(column).to_pylist() == ["a\ufffdb"] * 2 + ["x" * 200, "\U0001f3ac" * 200]
