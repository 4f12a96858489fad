#!/usr/bin/env python3
"""Times Qwen3-VL on the CPU kernels beside llama.cpp and MLX in one sitting, on random weights, and writes build/bench/kernels.json
(of other sizes than 2b kernels_SIZE.json).

The programs take turns, so that a machine which is fast at one time and slow at another is so for all: each figure is the median of
the turns' medians. Memory is read plainly in each round of tokens, products run alone before and after each
prompt; beside that the best of all turns is kept.

usage: compare.py [--size 2b|4b|8b] [--only PART...] [--turns N] [--repeats N] [--bits 4 3 8] [--prefill 256 1024] [--no-vision]
Parts; those not asked for stay in the file as they were:
  models   tokens and prompts beside llama.cpp, the vision tower beside its mtmd
  precise  prompts without rounding activations to int8 (--precise), 4 bit
  calls    what a 4 bit token spends around its kernels, by perf where it can be used (2b)
  request  a picture and a question beside mlx-vlm, which takes minutes (2b; needs build/release/prismvid)
  mlx      one token's products by MLX's own CPU operations
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

from step_profile import can_profile, profile

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
            result[key][i] = entry | {name: statistics.median(turn[key][i][name] for turn in turns) for name in ("s", "plain_read_gb", "plain_gop") if name in entry}
    for key in ("load_s", "resident_bytes_after_load"):
        if key in first:
            result[key] = statistics.median(turn[key] for turn in turns)
    if "vision" in first:
        result["vision"] = first["vision"] | {"s": statistics.median(turn["vision"]["s"] for turn in turns)}
    if "roof" in first:
        result["roof"] = {name: max(turn["roof"][name] for turn in turns) for name in first["roof"]}
    return result


def checkpoint(size, bits):
    folder = MODELS / f"{size}-{bits}"
    made(folder / "model.safetensors", "random_checkpoint.py", size, bits, folder)
    return folder


def ours(size, bits, *options):
    return run(ROOT / "build/release/model_bench", checkpoint(size, bits), *options)


def prefills(counts):
    return [word for n in counts for word in ("--prefill", n)]


def models(a):
    """All bits of a file of llama.cpp's take turns with it."""
    result = {"turns": a.turns, "repeats": a.repeats, "ours": {}, "llama": {}}
    for kind in dict.fromkeys(PEER_OF[bits] for bits in a.bits):
        file = made(MODELS / f"{a.size}-{kind}.gguf", "random_gguf.py", a.size, kind, MODELS / f"{a.size}-{kind}.gguf")
        mine, llama, towers = {}, [], []
        for _ in range(a.turns):
            for bits in (bits for bits in a.bits if PEER_OF[bits] == kind):
                options = prefills(a.prefill if bits == 4 else a.prefill[:1])
                if bits == 4 and not a.no_vision:
                    options += ["--vision", "1280x720"]
                mine.setdefault(bits, []).append(ours(a.size, bits, "--decode", 128, "--repeats", a.repeats, *options))
            llama.append(run(PYTHON, HERE / "peers.py", "llama", file, a.repeats, *(a.prefill if kind == "Q4_0" else a.prefill[:1])))
            if kind == "Q4_0" and not a.no_vision:
                towers.append(run(PYTHON, HERE / "peers.py", "mtmd", *projector(a.size), 1, "1280x720"))
        result["llama"][kind] = merged(llama)
        if towers:
            result["mtmd"] = merged(towers)
        for bits, turns in mine.items():
            result["ours"][bits] = merged(turns) | {"file_bytes": (checkpoint(a.size, bits) / "model.safetensors").stat().st_size}
    return result


def precise(a):
    return {"precise": {4: merged([ours(a.size, 4, "--precise", "--repeats", a.repeats, *prefills(a.prefill)) for _ in range(a.turns)])}}


def calls(a):
    if not can_profile():
        return {}
    turns = [profile(checkpoint(a.size, 4)) for _ in range(a.turns)]
    return {"calls": {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}}


def complete_checkpoint():
    """One that mlx-vlm and prismvid can answer with, and that shows a picture of 64x64 as it is: four tokens."""
    source, folder = MODELS / "engine-2b-4", MODELS / "request-2b-4"
    if not (source / "model.safetensors").exists():
        subprocess.run([PYTHON, ROOT / "bench/engine/random_checkpoint.py", source], cwd=ROOT, check=True)
    folder.mkdir(exist_ok=True)
    for file in source.iterdir():
        (folder / file.name).unlink(missing_ok=True)
        (folder / file.name).symlink_to(file.resolve())
    settings = json.loads((source / "preprocessor_config.json").read_text())
    settings["size"]["shortest_edge"] = 64 * 64
    (folder / "preprocessor_config.json").unlink()
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


def request(a):
    """The whole of it but loading: reading the picture, its tower, the prompt, all tokens of the reply."""
    folder, picture, question, tokens = complete_checkpoint(), RESULTS / "request.png", "What?", 4
    subprocess.run([PYTHON, "-c", "import sys; from PIL import Image; Image.effect_noise((64, 64), 50).convert('RGB').save(sys.argv[1])", picture], check=True)
    command = [ROOT / "build/release/prismvid", "generate", "--model", folder, "--image", picture, "--prompt", question, "--max-tokens", tokens, "--ignore-eos",
               "--temperature", 0, "--format", "json"]
    turns = [run(*command) for _ in range(a.turns)]
    mine = {"s": statistics.median(sum(turn["timings_ms"][part] for part in ("queue", "vision", "prefill", "decode")) for turn in turns) / 1000,
            "prompt_tokens": len(turns[0]["prompt_token_ids"]), "tokens": len(turns[0]["token_ids"])}
    return {"request": {"prismvid": mine, "mlx-vlm": run(PYTHON, HERE / "peers.py", "mlx-vlm", folder, picture, question, tokens)}}


def mlx(a):
    return {"mlx": run(PYTHON, HERE / "peers.py", "mlx", a.size)}


PARTS = {"models": models, "precise": precise, "calls": calls, "request": request, "mlx": mlx}
OF_2B_ONLY = ("calls", "request")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="2b", choices=["2b", "4b", "8b"])
    parser.add_argument("--only", nargs="+", choices=PARTS)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=2, help="rounds in each turn")
    parser.add_argument("--bits", type=int, nargs="+", default=[4, 3, 8], choices=PEER_OF)
    parser.add_argument("--prefill", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--no-vision", action="store_true")
    a = parser.parse_args()
    file = RESULTS / ("kernels.json" if a.size == "2b" else f"kernels_{a.size}.json")
    result = json.loads(file.read_text()) if a.only and file.exists() else {}
    result |= {"size": a.size, "load_before": max(result.get("load_before", 0), os.getloadavg()[0])}
    for part in a.only or [part for part in PARTS if a.size == "2b" or part not in OF_2B_ONLY]:
        result |= PARTS[part](a)
        file.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
