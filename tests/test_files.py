import json
from pathlib import Path

import pytest

from recthinker.files import replacing, write_json


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "figures.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError):
        _fail_half_way(path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    assert list(path.parent.iterdir()) == [path]


def _fail_half_way(path: Path) -> None:
    with replacing(path) as partial:
        partial.write_text("half", encoding="utf-8")
        raise RuntimeError("no space left")


def test_nobody_reads_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")
    with replacing(path) as partial:
        partial.write_text("ne", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
        partial.write_text("new", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "new"
