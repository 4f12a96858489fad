#!/usr/bin/env python3
"""Writes a Qwen3-VL checkpoint of the real sizes with random weights, so that speed and memory can be measured without a download.

usage: random_checkpoint.py {2b,4b,8b} BITS FOLDER [--experts] [--no-vision]
BITS: 3, 4, 5, 6, 8 (groups of 64, as mlx-community writes them) or 16 (bfloat16). --experts: a few layers of 30B-A3B instead.
"""
import argparse
import json
import pathlib

import numpy as np

SIZES = {
    "2b": dict(hidden=2048, layers=28, inner=6144, heads=16, vocabulary=151936, tied=True,
               vision=dict(depth=24, hidden_size=1024, intermediate_size=4096, deepstack_visual_indexes=[5, 11, 17])),
    "4b": dict(hidden=2560, layers=36, inner=9728, heads=32, vocabulary=151936, tied=True,
               vision=dict(depth=24, hidden_size=1024, intermediate_size=4096, deepstack_visual_indexes=[5, 11, 17])),
    "8b": dict(hidden=4096, layers=36, inner=12288, heads=32, vocabulary=151936, tied=False,
               vision=dict(depth=27, hidden_size=1152, intermediate_size=4304, deepstack_visual_indexes=[8, 16, 24])),
}
EXPERTS = dict(hidden=2048, layers=4, inner=6144, heads=32, vocabulary=151936, tied=False, experts=128, expert_inner=768,
               vision=SIZES["8b"]["vision"])
HEAD_DIM, KEY_VALUE_HEADS, GROUP = 128, 8, 64


class Writer:
    """Tensors one after the other: the header first, from shapes alone, then the data."""

    def __init__(self):
        self.header, self.makers, self.bytes = {}, [], 0
        self.random = np.random.default_rng(0)
        self.normal = self.random.standard_normal(1 << 20, dtype=np.float32)

    def add(self, name, dtype, shape, make):
        size = int(np.prod(shape)) * {"U32": 4, "BF16": 2}[dtype]
        self.header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [self.bytes, self.bytes + size]}
        self.makers.append(lambda: make(int(np.prod(shape))))
        self.bytes += size

    def bfloat16(self, values):
        return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)

    def plain(self, name, shape, spread=0.02, centre=0.0):
        self.add(name, "BF16", shape, lambda count: self.bfloat16(np.resize(self.normal, count) * spread + centre))

    def matrix(self, path, bits, rows, columns, lead=()):
        if bits == 16:
            return self.plain(path + ".weight", (*lead, rows, columns))
        step = 0.07 / (2**bits - 1)  # a uniform spread of 0.02
        groups = (*lead, rows, columns // GROUP)
        self.add(path + ".weight", "U32", (*lead, rows, columns * bits // 32),
                 lambda count: self.random.integers(0, 1 << 32, count, dtype=np.uint32))
        # As mx.quantize leaves them: a bias is a whole number of scales before both are rounded.
        scales = lambda count: np.resize(self.normal, count) * (step / 10) + step
        zeros = lambda count: 2 ** (bits - 1) - np.resize(self.normal > 0, count)
        self.add(path + ".scales", "BF16", groups, lambda count: self.bfloat16(scales(count)))
        self.add(path + ".biases", "BF16", groups, lambda count: self.bfloat16(-scales(count) * zeros(count)))

    def linear(self, path, rows, columns):
        self.plain(path + ".weight", (rows, columns))
        self.plain(path + ".bias", (rows,))

    def norm(self, path, width, has_bias=False):
        self.plain(path + ".weight", (width,), 0.1, 1.0)
        if has_bias:
            self.plain(path + ".bias", (width,))

    def save(self, path):
        header = json.dumps(self.header).encode()
        header += b" " * (-len(header) % 8)
        with open(path, "wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            for make in self.makers:
                file.write(make().tobytes())


def add_text(w, size, bits):
    hidden, wide, narrow = size["hidden"], size["heads"] * HEAD_DIM, KEY_VALUE_HEADS * HEAD_DIM
    w.matrix("language_model.model.embed_tokens", bits, size["vocabulary"], hidden)
    if not size["tied"]:
        w.matrix("language_model.lm_head", bits, size["vocabulary"], hidden)
    w.norm("language_model.model.norm", hidden)
    for i in range(size["layers"]):
        layer = f"language_model.model.layers.{i}."
        for name, rows, columns in (("q_proj", wide, hidden), ("k_proj", narrow, hidden), ("v_proj", narrow, hidden), ("o_proj", hidden, wide)):
            w.matrix(layer + "self_attn." + name, bits, rows, columns)
        for name, width in (("self_attn.q_norm", HEAD_DIM), ("self_attn.k_norm", HEAD_DIM), ("input_layernorm", hidden), ("post_attention_layernorm", hidden)):
            w.norm(layer + name, width)
        if "experts" in size:
            w.matrix(layer + "mlp.gate", bits, size["experts"], hidden)
        lead, inner, path = ((size["experts"],), size["expert_inner"], "mlp.switch_mlp.") if "experts" in size else ((), size["inner"], "mlp.")
        for name, rows, columns in (("gate_proj", inner, hidden), ("up_proj", inner, hidden), ("down_proj", hidden, inner)):
            w.matrix(layer + path + name, bits, rows, columns, lead)


def add_vision(w, vision, out):
    hidden, inner, root = vision["hidden_size"], vision["intermediate_size"], "vision_tower."
    w.linear(root + "patch_embed.proj", hidden, 1536)
    w.plain(root + "pos_embed.weight", (2304, hidden))
    for i in range(vision["depth"]):
        block = f"{root}blocks.{i}."
        w.norm(block + "norm1", hidden, True)
        w.norm(block + "norm2", hidden, True)
        for name, rows, columns in (("attn.qkv", 3 * hidden, hidden), ("attn.proj", hidden, hidden), ("mlp.linear_fc1", inner, hidden), ("mlp.linear_fc2", hidden, inner)):
            w.linear(block + name, rows, columns)
    mergers = ["merger."] + [f"deepstack_merger_list.{i}." for i in range(len(vision["deepstack_visual_indexes"]))]
    for merger in mergers:
        w.norm(root + merger + "norm", hidden if merger == "merger." else 4 * hidden, True)
        w.linear(root + merger + "linear_fc1", 4 * hidden, 4 * hidden)
        w.linear(root + merger + "linear_fc2", out, 4 * hidden)


def config(size, bits):
    text = dict(model_type="qwen3_vl_text", vocab_size=size["vocabulary"], hidden_size=size["hidden"], intermediate_size=size["inner"],
                num_hidden_layers=size["layers"], num_attention_heads=size["heads"], num_key_value_heads=KEY_VALUE_HEADS, head_dim=HEAD_DIM,
                max_position_embeddings=262144, rms_norm_eps=1e-6, hidden_act="silu", attention_bias=False, rope_theta=5e6,
                rope_scaling={"rope_type": "default", "mrope_section": [24, 20, 20], "mrope_interleaved": True})
    if "experts" in size:
        text |= dict(model_type="qwen3_vl_moe_text", num_experts=size["experts"], num_experts_per_tok=8, moe_intermediate_size=size["expert_inner"],
                     decoder_sparse_step=1, mlp_only_layers=[], norm_topk_prob=True)
    vision = dict(model_type="qwen3_vl", in_channels=3, patch_size=16, temporal_patch_size=2, spatial_merge_size=2, num_heads=16,
                  num_position_embeddings=2304, out_hidden_size=size["hidden"], hidden_act="gelu_pytorch_tanh", **size["vision"])
    kind = "qwen3_vl_moe" if "experts" in size else "qwen3_vl"
    result = dict(model_type=kind, text_config=text, vision_config=vision | dict(model_type=kind), tie_word_embeddings=size["tied"], image_token_id=151655,
                  video_token_id=151656, vision_start_token_id=151652, vision_end_token_id=151653)
    if bits != 16:
        result["quantization"] = dict(group_size=GROUP, bits=bits, mode="affine")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("bits", type=int, choices=[3, 4, 5, 6, 8, 16])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--experts", action="store_true")
    parser.add_argument("--no-vision", action="store_true")
    arguments = parser.parse_args()
    size = EXPERTS if arguments.experts else SIZES[arguments.size]
    writer = Writer()
    add_text(writer, size, arguments.bits)
    if not arguments.no_vision:
        add_vision(writer, size["vision"], size["hidden"])
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (arguments.folder / "config.json").write_text(json.dumps(config(size, arguments.bits), indent=1))
    writer.save(arguments.folder / "model.safetensors")


if __name__ == "__main__":
    main()
