from recthinker.report.samples import MOST_CHARACTERS, Span, read_sample


def lines(text: str) -> tuple[tuple[Span, ...], ...]:
    return read_sample("sft", "sample.txt", text).lines


def test_what_is_trained_stands_between_marks() -> None:
    assert lines("read [[wrote]] read") == ((Span("read ", False), Span("wrote", True), Span(" read", False)),)


def test_a_mark_may_span_lines() -> None:
    assert lines("a[[b\nc]]") == ((Span("a", False), Span("b", True)), (Span("c", True),))


def test_marks_that_open_or_close_nothing_are_text() -> None:
    (line,) = lines("a ]] b [[c [[ d]]")
    assert [span.text for span in line if not span.is_trained] == ["a ", "]]", " b "]
    assert [span.text for span in line if span.is_trained] == ["c ", "[[", " d"]


def test_a_long_text_is_cut_and_says_so() -> None:
    sample = read_sample("rl", "all.txt", "x" * (MOST_CHARACTERS + 1))
    assert sample.lines == ((Span("x" * MOST_CHARACTERS, False),),)
    assert (sample.is_cut, sample.characters) == (True, MOST_CHARACTERS + 1)
    assert not read_sample("rl", "all.txt", "x").is_cut
