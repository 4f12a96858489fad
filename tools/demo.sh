#!/usr/bin/env bash
# Watches the bundled clip with both stages, asks about it and says where the results are.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/demo
model=assets/models/demo-world-vlm
mkdir -p "$out"
run() { build/release/prismvid "$@" --db "$out/prismvid.db"; }
run analyze assets/demo.mp4 --detector demo-world-detector --model "$model"
run export assets/demo.mp4 --format json -o "$out/demo.json"
run export assets/demo.mp4 --format html -o "$out/demo.html"
run export assets/demo.mp4 --format captions -o "$out/demo.vtt"
for question in "Who chases the orange triangle?" "What colour does the red circle turn?" \
  "Which way does the purple square move?" "Is there a yellow diamond?"; do
  echo
  echo "? $question"
  run ask assets/demo.mp4 "$question" --model "$model"
done
echo
echo "analysis (JSON): $PWD/$out/demo.json"
echo "report (HTML):   $PWD/$out/demo.html"
echo "captions (VTT):  $PWD/$out/demo.vtt"
echo "database:        $PWD/$out/prismvid.db"
