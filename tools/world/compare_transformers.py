"""Asks transformers what `prismvid eval --requests DIR` asked, and counts replies that are the same.

usage: python -m world.compare_transformers DIR MODEL [MODEL ...] [--type float32] [--most N] [--workers N] [-o FILE]
       (from tools/; needs torch, transformers and opencv-python-headless)
MODEL is a folder of weights as transformers or MLX names them (whole, 4 or 8 bit) with its tokenizer.json. Transformers'
own model and generate() are used, with the program's pictures, times and prompts; nothing holds its replies to a schema.
Replies that differ are told with the token where they part and by how much transformers' logits prefer its own token.
"""
import argparse
import json
import multiprocessing
import pathlib
import time

import numpy as np
import torch
from tokenizers import Tokenizer

from .packing import Document, Encoder
from .scores import Tally
from .train_vlm import load
from .vlm import build, configuration, patches


def read_request(file):
    """(what was asked, frames [n, height, width, 3])"""
    asked = json.loads(file.read_text())
    if asked["pictures"] or asked["history"]:
        raise SystemExit(f"{file}: keyframes and earlier turns are not compared")
    width, height = asked["frames"][0] if asked["frames"] else (0, 0)
    return asked, np.fromfile(file.with_suffix(".rgb"), np.uint8).reshape(-1, height, width, 3) if width else None


def inputs_of(encoder, asked, frames):
    """generate()'s arguments, as the processor makes them of a conversation with one video."""
    document = Document(encoder)
    arguments = {}
    if frames is not None:
        times = np.array(asked["times_us"]) / 1e6
        if len(times) % 2:
            times, frames = np.append(times, times[-1]), np.concatenate([frames, frames[-1:]])
        document.video(frames, times, False)
        pairs = torch.from_numpy(frames).unflatten(0, (-1, 2))
        arguments["pixel_values_videos"] = patches(pairs).flatten(0, 1)
        arguments["video_grid_thw"] = torch.tensor([[len(pairs), frames.shape[1] // 16, frames.shape[2] // 16]])
    document.ask(asked["prompt"], "")
    ids = torch.tensor([document.ids])
    return arguments | {"input_ids": ids, "attention_mask": torch.ones_like(ids),
                        "mm_token_type_ids": 2 * (ids == encoder.video_pad).int()}


@torch.inference_mode()
def reply_of(model, encoder, asked, frames):
    """(generated ids, the logits that each was picked from, number of prompt tokens)"""
    arguments = {k: v.to(model.device) for k, v in inputs_of(encoder, asked, frames).items()}
    if "pixel_values_videos" in arguments:
        arguments["pixel_values_videos"] = arguments["pixel_values_videos"].to(model.dtype)
    got = model.generate(**arguments, max_new_tokens=asked["max_tokens"], do_sample=False, eos_token_id=encoder.end,
                         pad_token_id=encoder.end, return_dict_in_generate=True, output_logits=True)
    tokens = arguments["input_ids"].shape[1]
    return got.sequences[0, tokens:].tolist(), got.logits, tokens


def text_of(encoder, ids):
    return encoder.tokenizer.decode(ids[:ids.index(encoder.end)] if encoder.end in ids else ids)


def parting(encoder, ids, logits, asked):
    """Where transformers' reply leaves the program's, and how much likelier its own token is to it (in nats)."""
    program = encoder.text(asked["reply"]) + [encoder.end] * asked["ended"]
    at = next((i for i, (a, b) in enumerate(zip(ids, program)) if a != b), None)
    if at is None:
        return {"at": min(len(ids), len(program)), "of": len(program)}  # one is cut off
    own, other = ids[at], program[at]
    row = logits[at][0].float()
    return {"at": at, "of": len(program), "transformers": encoder.tokenizer.id_to_token(own),
            "program": encoder.tokenizer.id_to_token(other), "nats": round(float(row[own] - row[other]), 4)}


def as_json(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def compare_files(folder, files, model_folder, type_name):
    """(counts of a Tally, replies that differ) of some requests."""
    encoder = Encoder(Tokenizer.from_file(str(model_folder / "tokenizer.json")))
    model = build(configuration(encoder.tokenizer))
    load(model, model_folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device, getattr(torch, type_name)).eval()
    tally, differ = Tally(), []
    for file in files:
        asked, frames = read_request(file)
        if asked["temperature"] > 0:  # asked again because the first reply was unusable: drawn, not the likeliest
            tally.add("drawn replies, left out", 1)
            continue
        ids, logits, tokens = reply_of(model, encoder, asked, frames)
        reply = text_of(encoder, ids)
        kind = asked["prompt"].split(" ", 1)[0].lower()  # write, answer, decide, ...: the prompt's first word
        same = as_json(reply) == as_json(asked["reply"])
        tally.add("same replies", same)
        tally.add(f"same replies, {kind}", same)
        tally.add("same number of tokens in", tokens == asked["tokens_in"])
        if not same:
            differ.append({"request": str(file.relative_to(folder)), "program": asked["reply"], "transformers": reply,
                           "parting": parting(encoder, ids, logits, asked)})
    return tally.counts(), differ


def compare(folder, model_folder, type_name, most, workers):
    files, begin = sorted(folder.rglob("*.json"))[:most], time.time()
    shares = [(folder, files[i::workers], model_folder, type_name) for i in range(workers)]
    if workers == 1:
        results = [compare_files(*shares[0])]
    else:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            results = pool.starmap(compare_files, shares)
    tally, differ = Tally(), []
    for counts, parted in results:
        differ += parted
        for name, (right, of) in counts.items():
            tally.add(name, right, of)
    return {"model": model_folder.name, "type": type_name, "device": "cuda" if torch.cuda.is_available() else "cpu",
            "seconds": round(time.time() - begin, 1), "scores": tally.table(), "counts": tally.counts(),
            "differ": sorted(differ, key=lambda d: d["request"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requests", type=pathlib.Path)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--type", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--most", type=int)
    parser.add_argument("--workers", type=int, default=1, help="processes, each with a model of its own")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    args = parser.parse_args()
    results = [compare(args.requests, model, args.type, args.most, args.workers) for model in args.models]
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    print(text, end="", flush=True)
    if args.output:
        args.output.write_text(text)


if __name__ == "__main__":
    main()
