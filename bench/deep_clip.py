#!/usr/bin/env python3
"""A clip of 60 s of 1080p30 through the deep stage, captions and summary, beside llama.cpp with the same frames and as many tokens written: Qwen3-VL-2B's
sizes with random weights, 3 bit (llama.cpp: Q4_0, tower in f16), every reply cut to one length. Writes build/bench/deep_clip.json.

usage: deep_clip.py [--reply-tokens N] [--peer-frames N] [--peer-windows N] [--only prismvid llama.cpp]
Needs tools/setup.sh bench. mtmd knows pictures only, so each frame is one, where PrismVid shows Qwen3-VL two frames as one as it was made for: llama.cpp reads
twice as many tokens of pictures. Its frames come ready, its tokens are not drawn, and what is not measured of it is scaled and said to be.
"""
import argparse
import json
import math
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "bench"), str(ROOT / "bench/kernels")]
from clips import half_minute, repeated
from compare import HERE, MODELS, PYTHON, RESULTS, made, projector, run

SIZE, BITS, PEER = "2b", 3, "Q4_0"
MARKS = 2  # tokens around each picture


def checkpoint():
    """The kernels' random weights with the vocabulary and settings of the engine's."""
    weights = MODELS / f"{SIZE}-{BITS}"
    made(weights / "model.safetensors", "random_checkpoint.py", SIZE, BITS, weights)
    vocabulary, folder = MODELS / "engine-2b-4", MODELS / f"clip-{SIZE}-{BITS}"
    if not (vocabulary / "tokenizer.json").exists():
        subprocess.run([PYTHON, ROOT / "bench/engine/random_checkpoint.py", vocabulary], cwd=ROOT, check=True)
    folder.mkdir(exist_ok=True)
    for file in vocabulary.iterdir():
        if file.name not in ("model.safetensors", "config.json"):
            shutil.copy(file, folder)
    for name in ("model.safetensors", "config.json"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(weights / name)
    return folder


def prismvid(reply_tokens):
    result = run(ROOT / "build/release/prismvid", "bench", "--model", checkpoint(), "--video", repeated(half_minute(1920, 1080, 30, "10M"), 2), "--reply-tokens",
                 reply_tokens, "--only-video", "--width", 320, "--height", 180, "--format", "json")
    video = result["video"]
    summaries = video["tokens_out"] // reply_tokens - video["windows"]
    return {"s": video["captions_seconds"] + video["summary_seconds"], "reply_tokens": reply_tokens, "summaries": summaries, **video}


def llama(ours, frames, windows):
    """The same work: every frame through mtmd's tower, then each window's prompt and reply, then the summaries', which read words only."""
    frames, windows = min(frames or ours["frames"], ours["frames"]), min(windows or ours["windows"], ours["windows"])
    width, height = ours["frame"]
    tower = run(PYTHON, HERE / "peers.py", "mtmd", *projector(SIZE), frames, f"{width}x{height}")["vision"]
    tokens_of_picture, in_window = tower["patches"] // 4, ours["frames"] / ours["windows"]
    shown = (width // 32) * (height // 32) * math.ceil(in_window / 2)  # tokens of PrismVid's window that are of pictures
    words = ours["caption_tokens_in"] // ours["windows"] - shown
    prompt = words + round(in_window * (tokens_of_picture + MARKS))
    summary = (ours["tokens_in"] - ours["caption_tokens_in"]) // max(1, ours["summaries"])
    text = made(MODELS / f"{SIZE}-{PEER}.gguf", "random_gguf.py", SIZE, PEER, MODELS / f"{SIZE}-{PEER}.gguf")
    reply = ours["reply_tokens"]
    requests = [f"{prompt}+{reply}"] * windows + [f"{summary}+{reply}"] * min(1, ours["summaries"])
    replies = run(PYTHON, HERE / "peers.py", "replies", text, *requests)["replies"]
    of_window = sum(r["prefill_s"] + r["decode_s"] for r in replies[:windows]) / windows
    of_summary = sum(r["prefill_s"] + r["decode_s"] for r in replies[windows:])
    return {"s": tower["s"] * ours["frames"] + of_window * ours["windows"] + of_summary * ours["summaries"], "frames_measured": frames, "windows_measured": windows,
            "frame_s": tower["s"], "window_prompt_tokens": prompt, "picture_tokens": round(in_window * tokens_of_picture) * ours["windows"], "replies": replies}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reply-tokens", type=int, default=150)
    parser.add_argument("--peer-frames", type=int, default=0, help="frames that llama.cpp's tower is timed on (all)")
    parser.add_argument("--peer-windows", type=int, default=0, help="windows that llama.cpp's text model is timed on (all)")
    parser.add_argument("--only", nargs="+", default=["prismvid", "llama.cpp"])
    arguments = parser.parse_args()
    file = RESULTS / "deep_clip.json"
    result = json.loads(file.read_text()) if file.exists() else {}
    if "prismvid" in arguments.only:
        result = {"prismvid": prismvid(arguments.reply_tokens)}
        file.write_text(json.dumps(result, indent=1))
    if "llama.cpp" in arguments.only:
        result["llama.cpp"] = llama(result["prismvid"], arguments.peer_frames, arguments.peer_windows)
        file.write_text(json.dumps(result, indent=1))
    for name, one in result.items():
        print(f"{name}: {one['s']:.1f} s")


main()
