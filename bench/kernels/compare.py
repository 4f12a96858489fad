#!/usr/bin/env python3
"""Times Qwen3-VL on the CPU kernels beside llama.cpp and MLX in one sitting, on random weights, and writes build/bench/kernels.json.

usage: compare.py [--size 2b|4b|8b] [--repeats N] [--bits 4 3 8] [--prefill 256 1024] [--no-vision]
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE, RESULTS = ROOT / "bench/kernels", ROOT / "build/bench"
MODELS, PYTHON = RESULTS / "models", RESULTS / "venv/bin/python"
PEER_OF = {4: "Q4_0", 3: "Q4_0", 8: "Q8_0"}


def made(path, *command):
    """`path`, made by a script beside this one where it is missing."""
    if not path.exists():
        MODELS.mkdir(parents=True, exist_ok=True)
        subprocess.run([PYTHON, HERE / command[0], *map(str, command[1:])], check=True)
    return path


def run(*command):
    print(*command, file=sys.stderr)
    return json.loads(subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="2b", choices=["2b", "4b", "8b"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--bits", type=int, nargs="+", default=[4, 3, 8], choices=PEER_OF)
    parser.add_argument("--prefill", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--no-vision", action="store_true")
    a = parser.parse_args()
    result = {"size": a.size, "repeats": a.repeats, "ours": {}, "llama": {}}
    for bits in a.bits:
        checkpoint = MODELS / f"{a.size}-{bits}"
        made(checkpoint / "model.safetensors", "random_checkpoint.py", a.size, bits, checkpoint)
        lengths = a.prefill if bits == 4 else a.prefill[:1]
        options = [word for n in lengths for word in ("--prefill", n)]
        if bits == 4 and not a.no_vision:
            options += ["--vision", "1280x720"]
        result["ours"][bits] = run(ROOT / "build/release/model_bench", checkpoint, "--decode", 128, "--repeats", a.repeats, *options)
        result["ours"][bits]["file_bytes"] = (checkpoint / "model.safetensors").stat().st_size
        kind = PEER_OF[bits]
        if kind not in result["llama"]:
            file = MODELS / f"{a.size}-{kind}.gguf"
            made(file, "random_gguf.py", a.size, kind, file)
            result["llama"][kind] = run(PYTHON, HERE / "peers.py", "llama", file, a.repeats, *lengths)
    result["mlx"] = run(PYTHON, HERE / "peers.py", "mlx", a.size)
    (RESULTS / ("kernels.json" if a.size == "2b" else f"kernels_{a.size}.json")).write_text(json.dumps(result, indent=1))


main()
