#!/usr/bin/env bash
# Analyses the bundled clip and says where the results are.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/demo
mkdir -p "$out"
run() { build/release/prismvid "$@" --db "$out/prismvid.db"; }
run analyze assets/demo.mp4 --detector demo-world-detector
run export assets/demo.mp4 --format json -o "$out/demo.json"
run export assets/demo.mp4 --format html -o "$out/demo.html"
echo "analysis (JSON): $PWD/$out/demo.json"
echo "report (HTML):   $PWD/$out/demo.html"
echo "database:        $PWD/$out/prismvid.db"
