"""Writes a whole Qwen3-VL checkpoint of random weights in mlx-community's format, to measure loading, memory and speed.

    python tools/random_checkpoint.py FOLDER [--size 2b|4b|8b|32b|30b-a3b] [--bits 3] [--group-size 64] [--layers N] [--seed 0]

The same arguments give the same bytes. The tensors have the names, shapes and dtypes of the released models: text layers,
embedding and head quantised, vision tower and norms in bfloat16. Needs numpy only. The tokenizer is the small one of the
tests, or that of --tokenizer FOLDER.
"""

import argparse
import json
import shutil
import struct
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
# hidden, layers, heads, key-value heads, intermediate, tied head, tower: (depth, hidden, intermediate, deepstack)
SMALL_TOWER, LARGE_TOWER = (24, 1024, 4096, [5, 11, 17]), (27, 1152, 4304, [8, 16, 24])
SIZES = {
    "2b": (2048, 28, 16, 8, 6144, True, SMALL_TOWER),
    "4b": (2560, 36, 32, 8, 9728, True, SMALL_TOWER),
    "8b": (4096, 36, 32, 8, 12288, False, LARGE_TOWER),
    "32b": (5120, 64, 64, 8, 25600, False, LARGE_TOWER),
    "30b-a3b": (2048, 48, 32, 4, 6144, False, LARGE_TOWER),
}
VOCABULARY, HEAD = 151936, 128
EXPERTS, EXPERTS_PER_TOKEN, EXPERT_WIDTH = 128, 8, 768


class Plan:
    """Tensors in the order they are written: name -> (dtype, shape, maker of the bytes)."""

    def __init__(self, bits, group_size, seed):
        self.bits, self.group_size, self.seed = bits, group_size, seed
        self.tensors = {}

    def random(self, name):
        return np.random.Generator(np.random.PCG64([self.seed, *name.encode()]))

    def add(self, name, dtype, shape, make):
        self.tensors[name] = (dtype, shape, make)

    def norm(self, name, width, bias=False):
        self.add(f"{name}.weight", "BF16", [width], lambda: bf16(np.ones(width, np.float32)))
        if bias:
            self.add(f"{name}.bias", "BF16", [width], lambda: bf16(np.zeros(width, np.float32)))

    def plain(self, name, *shape, deviation=0.02):
        def make():
            return bf16(self.random(name).standard_normal(shape, np.float32) * deviation)
        self.add(name, "BF16", list(shape), make)

    def affine(self, name, bits, group_size, *shape):
        *lead, columns = shape
        groups = columns // group_size
        level = 0.02 / ((2**bits - 1) / 12**0.5)  # of evenly spread levels, so that weights deviate by 0.02
        def make_words():
            return self.random(name).bytes(int(np.prod(shape)) * bits // 8)
        def make_scales(factor):
            values = np.full([*lead, groups], level, np.float32)
            values *= 1 + self.random(name + ".scales").random(values.shape, np.float32) / 4
            return bf16(values * factor)
        self.add(f"{name}.weight", "U32", [*lead, columns * bits // 32], make_words)
        self.add(f"{name}.scales", "BF16", [*lead, groups], lambda: make_scales(1))
        self.add(f"{name}.biases", "BF16", [*lead, groups], lambda: make_scales(-(2**bits - 1) / 2))

    def linear(self, name, *shape):
        if self.bits:
            self.affine(name, self.bits, self.group_size, *shape)
        else:
            self.plain(f"{name}.weight", *shape)


def bf16(values):
    """Rounded to nearest."""
    words = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((words + 0x7FFF + (words >> 16 & 1)) >> 16).astype(np.uint16).tobytes()


def plan_text(plan, size, layers):
    hidden, _, heads, kv_heads, inner, tied, _ = SIZES[size]
    root = "language_model.model."
    plan.linear(root + "embed_tokens", VOCABULARY, hidden)
    for i in range(layers):
        layer = f"{root}layers.{i}."
        plan.norm(layer + "input_layernorm", hidden)
        plan.norm(layer + "post_attention_layernorm", hidden)
        plan.norm(layer + "self_attn.q_norm", HEAD)
        plan.norm(layer + "self_attn.k_norm", HEAD)
        plan.linear(layer + "self_attn.q_proj", heads * HEAD, hidden)
        plan.linear(layer + "self_attn.k_proj", kv_heads * HEAD, hidden)
        plan.linear(layer + "self_attn.v_proj", kv_heads * HEAD, hidden)
        plan.linear(layer + "self_attn.o_proj", hidden, heads * HEAD)
        if size == "30b-a3b":
            if plan.bits:
                plan.affine(layer + "mlp.gate", 8, 64, EXPERTS, hidden)
            else:
                plan.plain(layer + "mlp.gate.weight", EXPERTS, hidden)
            plan.linear(layer + "mlp.switch_mlp.gate_proj", EXPERTS, EXPERT_WIDTH, hidden)
            plan.linear(layer + "mlp.switch_mlp.up_proj", EXPERTS, EXPERT_WIDTH, hidden)
            plan.linear(layer + "mlp.switch_mlp.down_proj", EXPERTS, hidden, EXPERT_WIDTH)
        else:
            plan.linear(layer + "mlp.gate_proj", inner, hidden)
            plan.linear(layer + "mlp.up_proj", inner, hidden)
            plan.linear(layer + "mlp.down_proj", hidden, inner)
    plan.norm(root + "norm", hidden)
    if not tied:
        plan.linear("language_model.lm_head", VOCABULARY, hidden)


def plan_tower(plan, size):
    out = SIZES[size][0]
    depth, hidden, inner, deepstack = SIZES[size][6]
    root = "vision_tower."
    def biased(name, rows, columns):
        plan.plain(f"{root}{name}.weight", rows, columns)
        plan.plain(f"{root}{name}.bias", rows)
    plan.plain(root + "patch_embed.proj.weight", hidden, 2, 16, 16, 3)
    plan.plain(root + "patch_embed.proj.bias", hidden)
    plan.plain(root + "pos_embed.weight", 2304, hidden)
    for i in range(depth):
        block = f"blocks.{i}."
        plan.norm(root + block + "norm1", hidden, bias=True)
        plan.norm(root + block + "norm2", hidden, bias=True)
        biased(block + "attn.qkv", 3 * hidden, hidden)
        biased(block + "attn.proj", hidden, hidden)
        biased(block + "mlp.linear_fc1", inner, hidden)
        biased(block + "mlp.linear_fc2", hidden, inner)
    for name, norm in [("merger", hidden)] + [(f"deepstack_merger_list.{i}", 4 * hidden) for i in range(len(deepstack))]:
        plan.norm(f"{root}{name}.norm", norm, bias=True)
        biased(name + ".linear_fc1", 4 * hidden, 4 * hidden)
        biased(name + ".linear_fc2", out, 4 * hidden)


def config(arguments, layers, token_ids):
    hidden, _, heads, kv_heads, inner, tied, (depth, tower, tower_inner, deepstack) = SIZES[arguments.size]
    sparse = arguments.size == "30b-a3b"
    kind = "qwen3_vl_moe" if sparse else "qwen3_vl"
    text = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads, "head_dim": HEAD,
            "num_key_value_heads": kv_heads, "intermediate_size": inner, "vocab_size": VOCABULARY, "rms_norm_eps": 1e-6,
            "max_position_embeddings": 262144, "rope_theta": 5000000, "hidden_act": "silu", "attention_bias": False,
            "rope_scaling": {"rope_type": "default", "mrope_section": [24, 20, 20], "mrope_interleaved": True}}
    if sparse:
        text.update(num_experts=EXPERTS, num_experts_per_tok=EXPERTS_PER_TOKEN, moe_intermediate_size=EXPERT_WIDTH,
                    decoder_sparse_step=1, mlp_only_layers=[], norm_topk_prob=True)
    file = {"model_type": kind, "tie_word_embeddings": tied, "text_config": text, **token_ids, "vision_config": {
        "model_type": kind, "depth": depth, "hidden_size": tower, "intermediate_size": tower_inner, "num_heads": 16,
        "in_channels": 3, "patch_size": 16, "temporal_patch_size": 2, "spatial_merge_size": 2, "out_hidden_size": hidden,
        "num_position_embeddings": 2304, "deepstack_visual_indexes": deepstack, "hidden_act": "gelu_pytorch_tanh"}}
    if arguments.bits:
        file["quantization"] = {"group_size": arguments.group_size, "bits": arguments.bits, "mode": "affine"}
        if sparse:
            for i in range(layers):
                file["quantization"][f"language_model.model.layers.{i}.mlp.gate"] = {"group_size": 64, "bits": 8}
    return file


def write_safetensors(path, plan):
    header, at = {"__metadata__": {"format": "mlx"}}, 0
    sizes = {"BF16": 2, "U32": 4}
    for name, (dtype, shape, _) in plan.tensors.items():
        end = at + int(np.prod(shape)) * sizes[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for name, (_, _, make) in plan.tensors.items():
            data = make()
            first, last = header[name]["data_offsets"]
            assert len(data) == last - first, name
            out.write(data)
    return at


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", choices=SIZES, default="8b")
    parser.add_argument("--bits", type=int, choices=[0, 2, 3, 4, 5, 6, 8], default=3, help="0: bfloat16")
    parser.add_argument("--group-size", type=int, choices=[32, 64, 128], default=64)
    parser.add_argument("--layers", type=int, help="fewer than the size has")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tokenizer", type=Path, default=ROOT / "tests/golden/tokenizer")
    arguments = parser.parse_args()
    layers = arguments.layers or SIZES[arguments.size][1]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(arguments.tokenizer / "tokenizer.json", arguments.folder)
    ids = {t["content"]: t["id"] for t in json.loads((arguments.folder / "tokenizer.json").read_text())["added_tokens"]}
    token_ids = {"image_token_id": ids["<|image_pad|>"], "video_token_id": ids["<|video_pad|>"],
                 "vision_start_token_id": ids["<|vision_start|>"], "vision_end_token_id": ids["<|vision_end|>"]}
    (arguments.folder / "config.json").write_text(json.dumps(config(arguments, layers, token_ids), indent=1))
    plan = Plan(arguments.bits, arguments.group_size, arguments.seed)
    plan_text(plan, arguments.size, layers)
    plan_tower(plan, arguments.size)
    total = write_safetensors(arguments.folder / "model.safetensors", plan)
    print(f"{arguments.folder}: {len(plan.tensors)} tensors, {total / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
