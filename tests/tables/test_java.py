"""Java is found, or its lack is told with what to do."""

from pathlib import Path

import pytest

from recthinker.errors import ConfigError
from recthinker.tables.java import require_java


def fake_java(home: Path, told: str) -> Path:
    """A JAVA_HOME whose `java -version` prints `told`."""
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{told}' >&2\n")
    java.chmod(0o755)
    return home


@pytest.mark.parametrize(("told", "version"), [('openjdk version "17.0.15" 2025', 17), ('java version "21" 2023', 21)])
def test_supported_version_is_taken(told: str, version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path, told)))
    assert require_java() == version


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ('java version "1.8.0_402"', "needs Java 17 or 21, found 8"),
        ('openjdk version "25.0.1" 2025', "needs Java 17 or 21, found 25"),
        ("hello", "tells no version, but 'hello'"),
    ],
)
def test_other_java_is_refused(told: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path, told)))
    with pytest.raises(ConfigError, match=message):
        require_java()


def test_no_java_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"none was found on PATH or in JAVA_HOME; install .* `make setup`"):
        require_java()
