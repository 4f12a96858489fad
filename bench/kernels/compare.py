#!/usr/bin/env python3
"""Times Qwen3-VL on the CPU kernels beside llama.cpp and MLX in one sitting, on random weights, and writes build/bench/kernels.json.

The programs take turns, so that a machine which is fast at one time and slow at another is so for all: each figure is the median of
the turns' medians. Memory is read plainly in each round of tokens, int8 products run alone before and after each
prompt; beside that the best of all turns is kept.

usage: compare.py [--size 2b|4b|8b] [--turns N] [--repeats N] [--bits 4 3 8] [--prefill 256 1024] [--no-vision]
"""
import argparse
import json
import os
import pathlib
import statistics
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


def projector(size):
    """llama.cpp's vision tower with the text model that it wants beside it."""
    files = MODELS / f"{size}-projector.gguf", MODELS / f"{size}-projector-text.gguf"
    made(files[0], "random_projector.py", size, *files)
    return files


def run(*command):
    print(*command, file=sys.stderr)
    return json.loads(subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE).stdout)


def merged(turns):
    """One result of several turns."""
    first = turns[0]
    result = {key: value for key, value in first.items()}
    for key in ("prefill", "decode"):
        for i, entry in enumerate(first.get(key, [])):
            result[key][i] = entry | {name: statistics.median(turn[key][i][name] for turn in turns) for name in ("s", "plain_read_gb", "plain_int8_gop") if name in entry}
    for key in ("load_s", "resident_bytes_after_load"):
        if key in first:
            result[key] = statistics.median(turn[key] for turn in turns)
    if "vision" in first:
        result["vision"] = first["vision"] | {"s": statistics.median(turn["vision"]["s"] for turn in turns)}
    if "roof" in first:
        result["roof"] = {name: max(turn["roof"][name] for turn in turns) for name in first["roof"]}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="2b", choices=["2b", "4b", "8b"])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=2, help="rounds in each turn")
    parser.add_argument("--bits", type=int, nargs="+", default=[4, 3, 8], choices=PEER_OF)
    parser.add_argument("--prefill", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--no-vision", action="store_true")
    a = parser.parse_args()
    result = {"size": a.size, "turns": a.turns, "repeats": a.repeats, "load_before": os.getloadavg()[0], "ours": {}, "llama": {}}
    for kind in dict.fromkeys(PEER_OF[bits] for bits in a.bits):
        file = made(MODELS / f"{a.size}-{kind}.gguf", "random_gguf.py", a.size, kind, MODELS / f"{a.size}-{kind}.gguf")
        ours, llama, towers = {}, [], []
        for _ in range(a.turns):
            for bits in (bits for bits in a.bits if PEER_OF[bits] == kind):
                checkpoint = MODELS / f"{a.size}-{bits}"
                made(checkpoint / "model.safetensors", "random_checkpoint.py", a.size, bits, checkpoint)
                options = [word for n in (a.prefill if bits == 4 else a.prefill[:1]) for word in ("--prefill", n)]
                if bits == 4 and not a.no_vision:
                    options += ["--vision", "1280x720"]
                ours.setdefault(bits, []).append(run(ROOT / "build/release/model_bench", checkpoint, "--decode", 128, "--repeats", a.repeats, *options))
            llama.append(run(PYTHON, HERE / "peers.py", "llama", file, a.repeats, *(a.prefill if kind == "Q4_0" else a.prefill[:1])))
            if kind == "Q4_0" and not a.no_vision:
                towers.append(run(PYTHON, HERE / "peers.py", "mtmd", *projector(a.size), 1, "1280x720"))
        result["llama"][kind] = merged(llama)
        if towers:
            result["mtmd"] = merged(towers)
        for bits, turns in ours.items():
            result["ours"][bits] = merged(turns) | {"file_bytes": (MODELS / f"{a.size}-{bits}/model.safetensors").stat().st_size}
    result["mlx"] = run(PYTHON, HERE / "peers.py", "mlx", a.size)
    (RESULTS / ("kernels.json" if a.size == "2b" else f"kernels_{a.size}.json")).write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
