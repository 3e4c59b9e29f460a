"""Fingerprints change with content, name and options, and with nothing else."""

from pathlib import Path

from recthinker.sources.files import fingerprint, first_line


def test_fingerprint_follows_content_names_and_options(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("a")
    two.write_text("b")
    before = fingerprint([one, two], {"layout": "csv"})
    assert fingerprint([two, one], {"layout": "csv"}) == before
    assert fingerprint([one, two], {"layout": "dat"}) != before
    two.write_text("c")
    assert fingerprint([one, two], {"layout": "csv"}) != before
    two.write_text("b")
    assert fingerprint([one, two], {"layout": "csv"}) == before
    assert fingerprint([one, two.rename(tmp_path / "three.csv")], {"layout": "csv"}) != before


def test_first_line_drops_the_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("\ufeffuser_id,item_id\r\n1,2\r\n".encode())
    assert first_line(path) == "user_id,item_id"
