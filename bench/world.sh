#!/usr/bin/env bash
# Scores the bundled demonstration model on held-out clips through prismvid itself; tables go to the terminal.
#   bench/world.sh [--update]     --update also writes them into docs/deep.md
# WORLD_CLIPS (500) clips of the bundled checkpoint. With WORLD_RUN, a folder of tools/world/train_vlm.py's whole weights, also
# 8, 6, 5, 4 and 3 bit on WORLD_BITS_CLIPS (100) clips. With WORLD_TORCH, a python with torch and transformers, the replies to
# WORLD_COMPARE_CLIPS (25) clips beside transformers', both with the bundled weights made whole, at float32 and bfloat16.
# About 3.5 s a clip on two cores.
set -euo pipefail
cd "$(dirname "$0")/../tools"
work=$PWD/../build/world
program=$PWD/../build/release/prismvid
python=$work/venv/bin/python
export PRISMVID_MODELS=$PWD/../build/models
mkdir -p "$work"
if [ ! -x "$python" ]; then
  python3 -m venv "$work/venv"
  "$python" -m pip install -q numpy opencv-python-headless pillow jsonschema
fi
last() { echo "0-$(($1 - 1))"; }
evaluate() { "$python" -m world.evaluate_program "$program" "$@"; }

evaluate ../assets/models/demo-world-vlm --work "$work/full" --seeds "$(last "${WORLD_CLIPS:-500}")"
if [ -n "${WORLD_RUN:-}" ]; then
  models=()
  for bits in 8 6 5 4 3; do
    models+=("$work/models/${bits}bit")
    "$PWD/../.venv/bin/python" -m world.export_vlm "$WORLD_RUN" "$work/models/${bits}bit" --bits $bits
    cp ../assets/models/demo-world-vlm/prismvid.json "$work/models/${bits}bit/"
  done
  evaluate "${models[@]}" --work "$work/bits" --seeds "$(last "${WORLD_BITS_CLIPS:-100}")"
fi
if [ -n "${WORLD_TORCH:-}" ]; then
  rm -rf "$work/requests" "$work/compare"
  for type in float32 bfloat16; do
    "$WORLD_TORCH" -m world.whole_weights ../assets/models/demo-world-vlm "$work/models/$type" --type $type
    evaluate "$work/models/$type" --work "$work/compare" --seeds "$(last "${WORLD_COMPARE_CLIPS:-25}")" --requests "$work/requests"
    "$WORLD_TORCH" -m world.compare_transformers "$work/requests/$type" "$work/models/$type" --type $type \
      -o "$work/compare-$type.json"
  done
fi
"$python" -m world.report "$work" "$@"
