#!/usr/bin/env bash
# Resolves setup.cfg into requirements/{cpu,gpu,dev,demo,smollm2}.txt, hashed. Versions already locked stay, unless
# UPGRADE=1. No index is named in the files, so that they install from any mirror.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

common=(--quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate
    --custom-compile-command "make lock")
[ "${UPGRADE:-}" = 1 ] && common+=(--upgrade)

lock() { # NAME [more arguments]: requirements/NAME.txt from the extra NAME
    local name=$1
    shift
    echo "lock: requirements/$name.txt"
    scripts/uv.sh pip compile setup.cfg --extra "$name" --override requirements/overrides.txt "$@" \
        "${common[@]}" --output-file "requirements/$name.txt" >/dev/null
}

lock cpu
lock gpu
lock dev --constraint requirements/cpu.txt
for name in demo smollm2; do
    echo "lock: requirements/$name.txt"
    scripts/uv.sh pip compile "requirements/$name.in" --no-deps "${common[@]}" --output-file "requirements/$name.txt" \
        >/dev/null
done
