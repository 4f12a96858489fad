#!/usr/bin/env bash
# Measures the fast stage beside its peers: JSON goes to build/bench, tables to the terminal.
#   bench/run.sh [--update]      --update also writes the tables into docs/performance.md and README.md
# BENCH_MINUTES (10) is the length of the large file, BENCH_MEMORY=0 leaves the two-hour file out. Takes about an hour on two
# cores; let nothing else run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=build/bench/venv
python=$environment/bin/python
export PRISMVID_MODELS=$PWD/build/models

cmake --preset release -DPRISMVID_BENCH=ON >build/bench/configure.log || { cat build/bench/configure.log; exit 1; }
cmake --build --preset release --target prismvid frame_bench text_tracks media_bench faces_bench model_bench

echo "shots ..."
[ -d build/bench/shots/101 ] || "$python" bench/shots/make_clips.py build/bench/shots/101 101
"$python" bench/shots/compare.py --transnet-python "$python" --json build/bench/shots.json build/bench/shots/101
echo "text ..."
"$python" bench/text/run.py --keep build/bench/text --json build/bench/text.json
echo "one frame ..."
"$python" bench/frame.py
echo "a whole file ..."
memory=(); [ "${BENCH_MEMORY:-1}" = 1 ] || memory=(--skip-memory)
"$python" bench/fast_stage.py --minutes "${BENCH_MINUTES:-10}" --scenedetect "$environment/bin/scenedetect" "${memory[@]}"
echo "the page ..."
PRISMVID_PROGRAM=build/release/prismvid .venv/bin/python bench/page.py --json build/bench/page.json
echo "the service ..."
for what in latency streams upload crash; do
  .venv/bin/python bench/service/measure.py "$what" --json "build/bench/service_$what.json"
done
.venv/bin/python bench/service/measure.py crash --db postgres --json build/bench/service_crash_postgres.json
echo "the deep stage on this CPU ..."
"$python" bench/kernels/compare.py
"$python" bench/engine/servers.py
"$python" bench/deep_clip.py
"$python" bench/tables.py "$@"
