"""Asks transformers what `prismvid eval --requests DIR` asked, and counts replies that are the same.

usage: python -m world.compare_transformers DIR MODEL [MODEL ...] [--type float32] [--most N] [--seconds N] [-o FILE]
       (from tools/; needs torch, transformers and opencv-python-headless)
MODEL is a folder of weights as transformers or MLX names them (whole, 4 or 8 bit) with its tokenizer.json. Transformers'
own model is used, with the program's pictures, times and prompts; nothing holds its replies to a schema. One pass over prompt
and reply shows whether its likeliest token is the reply's next one everywhere: then its greedy reply is the same. Where it is
not, generate() writes the reply, which is compared as JSON, and the token is told where they part, with how much transformers'
logits prefer its own.
"""
import argparse
import json
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
    width, height = asked["frames"][0] if asked["frames"] else (0, 0)
    return asked, np.fromfile(file.with_suffix(".rgb"), np.uint8, len(asked["frames"]) * width * height * 3).reshape(
        -1, height, width, 3) if width else None


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


def arguments_of(model, encoder, asked, frames, reply):
    """inputs_of() on the model's device, `reply` (ids) behind the prompt; and the number of prompt tokens."""
    arguments = {k: v.to(model.device) for k, v in inputs_of(encoder, asked, frames).items()}
    if "pixel_values_videos" in arguments:
        arguments["pixel_values_videos"] = arguments["pixel_values_videos"].to(model.dtype)
    tokens = arguments["input_ids"].shape[1]
    behind = torch.tensor([reply], dtype=torch.long, device=model.device)
    for name, of_reply in (("input_ids", behind), ("attention_mask", torch.ones_like(behind)),
                           ("mm_token_type_ids", torch.zeros_like(behind))):
        arguments[name] = torch.cat([arguments[name], of_reply.to(arguments[name].dtype)], 1)
    return arguments, tokens


@torch.inference_mode()
def parting(model, encoder, asked, frames):
    """(where transformers' greedy reply leaves the program's or None, number of prompt tokens)"""
    reply = encoder.text(asked["reply"]) + [encoder.end] * asked["ended"]
    arguments, tokens = arguments_of(model, encoder, asked, frames, reply)
    logits = model(**arguments, logits_to_keep=len(reply) + 1).logits[0, :-1].float()
    own = logits.argmax(-1).tolist()
    at = next((i for i, (a, b) in enumerate(zip(own, reply)) if a != b), None)
    if at is None:
        return None, tokens
    name = encoder.tokenizer.id_to_token
    return {"at": at, "of": len(reply), "transformers": name(own[at]), "program": name(reply[at]),
            "nats": round(float(logits[at, own[at]] - logits[at, reply[at]]), 4)}, tokens


@torch.inference_mode()
def reply_of(model, encoder, asked, frames):
    arguments, tokens = arguments_of(model, encoder, asked, frames, [])
    got = model.generate(**arguments, max_new_tokens=asked["max_tokens"], do_sample=False, eos_token_id=encoder.end,
                         pad_token_id=encoder.end)
    return text_of(encoder, got[0, tokens:].tolist())


def text_of(encoder, ids):
    return encoder.tokenizer.decode(ids[:ids.index(encoder.end)] if encoder.end in ids else ids)


def as_json(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def compare(folder, model_folder, type_name, most, seconds):
    encoder = Encoder(Tokenizer.from_file(str(model_folder / "tokenizer.json")))
    model = build(configuration(encoder.tokenizer))
    load(model, model_folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device, getattr(torch, type_name)).eval()
    tally, differ, begin = Tally(), [], time.time()
    files = sorted(folder.rglob("*.json"))[:most]
    for file in files:
        if seconds and time.time() - begin > seconds:
            break
        asked, frames = read_request(file)
        # Keyframes are not compared; a second try is drawn, not the likeliest.
        if asked["pictures"] or asked["temperature"] > 0:
            tally.add("left out", 1)
            continue
        at, tokens = parting(model, encoder, asked, frames)
        reply = reply_of(model, encoder, asked, frames) if at else asked["reply"]
        kind = asked["prompt"].split(" ", 1)[0].lower()  # write, answer, decide, ...: the prompt's first word
        same = as_json(reply) == as_json(asked["reply"])
        tally.add("same replies", same)
        tally.add(f"same replies, {kind}", same)
        tally.add("same number of tokens in", tokens == asked["tokens_in"])
        if not same:
            differ.append({"request": str(file.relative_to(folder)), "program": asked["reply"], "transformers": reply,
                           "parting": at})
            print(differ[-1]["request"], at, flush=True)
    return {"model": model_folder.name, "type": type_name, "device": device, "requests": len(files),
            "seconds": round(time.time() - begin, 1), "scores": tally.table(), "counts": tally.counts(), "differ": differ}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requests", type=pathlib.Path)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--type", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--most", type=int)
    parser.add_argument("--seconds", type=float, help="end after so many")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    args = parser.parse_args()
    results = [compare(args.requests, model, args.type, args.most, args.seconds) for model in args.models]
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    print(text, end="", flush=True)
    if args.output:
        args.output.write_text(text)


if __name__ == "__main__":
    main()
