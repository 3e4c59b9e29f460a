"""Files of a snapshot: what was written is read, and what is broken is told."""

from pathlib import Path

import pyarrow as pa
import pytest

from recthinker.errors import SnapshotError
from recthinker.lookup import files
from recthinker.lookup.files import open_file, write_file

ROWS = pa.table({"number": [3, 1, 2], "text": ["c", "a", None]})


@pytest.mark.parametrize("read_all_over", [False, True])
@pytest.mark.parametrize("read_ahead", [0, 2**30])
def test_rows_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, read_all_over: bool, read_ahead: int
) -> None:
    monkeypatch.setattr(files, "READ_AHEAD_BYTES", read_ahead)
    write_file(ROWS, tmp_path / "rows.arrow")
    assert open_file(tmp_path / "rows.arrow", read_all_over=read_all_over).to_pylist() == ROWS.to_pylist()


def test_rows_stay_when_the_file_is_replaced(tmp_path: Path) -> None:
    write_file(ROWS, tmp_path / "rows.arrow")
    rows = open_file(tmp_path / "rows.arrow")
    (tmp_path / "rows.arrow").unlink()
    write_file(ROWS.slice(1), tmp_path / "rows.arrow")
    assert rows.to_pylist() == ROWS.to_pylist()


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_file_that_is_not_whole_is_told(tmp_path: Path, share: float) -> None:
    path = tmp_path / "rows.arrow"
    write_file(ROWS, path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(SnapshotError, match=r"rows\.arrow cannot be read .*write the snapshot again"):
        open_file(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"rows\.arrow cannot be read"):
        open_file(tmp_path / "rows.arrow", read_all_over=True)
