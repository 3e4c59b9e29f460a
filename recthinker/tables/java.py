"""Which Java runs Spark, and whether Spark 4.2 runs on it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from recthinker.errors import ConfigError

SUPPORTED = (17, 21)
ADVICE = "install a JRE of version 17 or 21 and put it on PATH or in JAVA_HOME, then run `make setup`"


def find_java() -> Path | None:
    """The `java` that Spark's launcher takes: `$JAVA_HOME/bin/java` where JAVA_HOME is set, else the one on
    PATH.
    """
    home = os.environ.get("JAVA_HOME")
    if home:
        candidate = Path(home) / "bin" / "java"
        return candidate if candidate.is_file() else None
    found = shutil.which("java")
    return Path(found) if found else None


def java_version(java: Path) -> int:
    """Major version that `java -version` tells (17 for `17.0.15`, 8 for `1.8.0_402`).

    Raises:
        ConfigError: it does not run or tells no version.
    """
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"{java} does not run ({error}); {ADVICE}") from error
    match = re.search(r'version "(?:1\.)?(\d+)', told)
    if match is None:
        raise ConfigError(f"{java} -version tells no version, but {told.strip()!r}; {ADVICE}")
    return int(match.group(1))


def require_java() -> int:
    """Major version of the Java that Spark will use.

    Raises:
        ConfigError: there is none, or it is neither 17 nor 21.
    """
    java = find_java()
    if java is None:
        raise ConfigError(f"Spark needs Java, and none was found on PATH or in JAVA_HOME; {ADVICE}")
    version = java_version(java)
    if version not in SUPPORTED:
        raise ConfigError(f"Spark needs Java 17 or 21, found {version} at {java}; {ADVICE}")
    return version
