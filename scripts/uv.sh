#!/usr/bin/env bash
# Runs uv with the arguments given. Takes the one on PATH, or a `uv` module of a Python here, or installs it from PyPI
# into a private environment (.uv/, ignored by git): no rights outside the checkout are needed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if uv --version >/dev/null 2>&1; then exec uv "$@"; fi
if [ -x .uv/bin/uv ]; then exec .uv/bin/uv "$@"; fi
if python3 -m uv --version >/dev/null 2>&1; then exec python3 -m uv "$@"; fi

echo "set-up: installing uv from PyPI" >&2
if python3 -m venv .uv >/dev/null 2>&1 && .uv/bin/python -m pip install --quiet uv >&2; then exec .uv/bin/uv "$@"; fi
rm -rf .uv
if python3 -m pip install --quiet --user uv >&2; then exec python3 -m uv "$@"; fi
echo "set-up: uv is missing and could not be installed with python3 -m venv or pip; install it" \
    "(for instance: apt-get install python3-venv, then try again)" >&2
exit 1
