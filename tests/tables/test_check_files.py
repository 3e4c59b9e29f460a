from pathlib import Path

import pytest

from recthinker.errors import ConfigError
from recthinker.tables.check_files import check_names, read_checks


def write(folder: Path, text: str) -> Path:
    (folder / "nice.sql").write_text(text, encoding="utf-8")
    return folder


def test_head_gives_rule_and_severity(tmp_path: Path) -> None:
    folder = write(tmp_path, "-- All is nice.\n-- severity: warning\nSELECT 1 FROM {items}, {user_profile_before}")
    (check,) = read_checks(folder=folder)
    assert (check.rule, check.severity) == ("All is nice.", "warning")
    assert check.frames == ("items", "user_profile_before")
    assert not check.is_landing


def test_check_stops_by_default(tmp_path: Path) -> None:
    (check,) = read_checks(folder=write(tmp_path, "-- All is nice.\n-- Why so.\nSELECT 1 FROM {items}"))
    assert check.severity == "stop"
    assert check.is_landing


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1 FROM {items}", "check nice: its first line should be `-- ` and the rule"),
        ("-- Rule.\n-- severity: mild\nSELECT 1 FROM {items}", "severity should be stop or warning, found mild"),
        ("-- Rule.\nSELECT 1 FROM {itms}", "check nice reads itms, which no contract describes"),
    ],
)
def test_file_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_checks(folder=write(tmp_path, text))


def test_names_of_the_checks_that_read_a_table() -> None:
    assert check_names(reading=("candidates",)) == [
        "candidates_in_step",
        "candidates_of_unknown_items",
        "candidates_values",
    ]
