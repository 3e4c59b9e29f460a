"""First lines of files as they are meant."""

from pathlib import Path

from recthinker.sources.files import first_line


def test_first_line_drops_the_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("\ufeffuser_id,item_id\r\n1,2\r\n".encode())
    assert first_line(path) == "user_id,item_id"
