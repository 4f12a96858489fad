"""Writes a quantised MLX checkpoint with whole weights, for readers that do not know MLX's packing.

usage: python -m world.whole_weights CHECKPOINT OUT [--type bfloat16]     (from tools/; needs torch)
Each weight is the dequantised number rounded to bfloat16 once, so float32 and bfloat16 files hold the same numbers. Names
and layout stay MLX's.
"""
import argparse
import json
import pathlib
import shutil

import torch
from safetensors.torch import load_file, save_file

from .train_vlm import unpacked


def whole_tensors(state, bits, dtype):
    """{name: tensor}; what is not packed is kept, as `dtype` too."""
    tensors = {}
    for name, value in state.items():
        stem = name.removesuffix(".weight")
        if name.endswith((".scales", ".biases")):
            continue
        if stem + ".scales" in state:
            value = unpacked(value, state[stem + ".scales"], state[stem + ".biases"], bits)
        tensors[name] = value.to(torch.bfloat16).to(dtype).contiguous()
    return tensors


def write_whole(checkpoint, out, dtype):
    config = json.loads((checkpoint / "config.json").read_text())
    bits = config.pop("quantization")["bits"]
    config.pop("quantization_config", None)
    out.mkdir(parents=True, exist_ok=True)
    for file in checkpoint.iterdir():
        if file.suffix == ".json" and file.name != "config.json" or file.name == "merges.txt":
            shutil.copyfile(file, out / file.name)
    state = {}
    for file in sorted(checkpoint.glob("*.safetensors")):
        state |= load_file(file)
    save_file(whole_tensors(state, bits, dtype), out / "model.safetensors", metadata={"format": "mlx"})
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--type", default="bfloat16", choices=["bfloat16", "float32"])
    args = parser.parse_args()
    write_whole(args.checkpoint, args.out, getattr(torch, args.type))


if __name__ == "__main__":
    main()
