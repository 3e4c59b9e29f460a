from recthinker.report.labels import Evidence, Piece, label_items, read_evidence, translate

TITLES = {"A": "Toy Story", "B": "Plan B", "C": "Heat"}


def test_label_items_follow_the_recorded_order() -> None:
    assert label_items({"labels": '["i9", "i2"]', "model": "m"}) == {"A": "i9", "B": "i2"}
    assert label_items({}) == {}


def test_translate_gives_each_label_its_title() -> None:
    assert translate("call item_info C A", TITLES) == [
        Piece("call item_info "),
        Piece("C", "Heat"),
        Piece(" "),
        Piece("A", "Toy Story"),
    ]


def test_translate_leaves_letters_that_are_no_labels() -> None:
    for text in ("Casablanca", "A's", "Z", "a b c", "AB", "x_A"):
        assert translate(text, TITLES) == [Piece(text)]


def test_translate_loses_no_text() -> None:
    text = "A, B and C; then D."
    assert "".join(piece.text for piece in translate(text, TITLES)) == text


def test_read_evidence_takes_as_many_levels_as_the_tool_gives() -> None:
    assert read_evidence(("follows", "together"), "C 9 8 A 7 0", TITLES) == [
        Evidence("C", "Heat", (9, 8), ""),
        Evidence("A", "Toy Story", (7, 0), ""),
    ]


def test_read_evidence_keeps_the_words_after_the_levels() -> None:
    assert read_evidence(("shares",), "B 9 directed by A 4 sequel", TITLES) == [
        Evidence("B", "Plan B", (9,), "directed by"),
        Evidence("A", "Toy Story", (4,), "sequel"),
    ]


def test_read_evidence_finds_none_where_a_tool_speaks_of_no_candidate() -> None:
    assert read_evidence((), "A 9 8 Mile", TITLES) == []
    assert read_evidence(("follows", "together"), "nothing", TITLES) == []
