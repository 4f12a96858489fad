#!/usr/bin/env python3
"""Writes what llama.cpp's mtmd needs to be timed on Qwen3-VL's vision tower: a projector of random float16 weights with the sizes of
random_checkpoint.py, and a text model of one layer, which mtmd asks for widths and special tokens and never runs.

usage: random_projector.py {2b,4b,8b} PROJECTOR.gguf TEXT.gguf     (needs the package gguf)
"""
import sys

import gguf
import numpy as np

from random_checkpoint import SIZES

SPECIAL = ["<|endoftext|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]


class Weights:
    def __init__(self, writer):
        self.writer, self.random = writer, np.random.default_rng(0)

    def plain(self, name, *shape, kind=np.float32):
        self.writer.add_tensor(name, (self.random.standard_normal(shape, dtype=np.float32) * 0.02).astype(kind))

    def linear(self, name, rows, columns):
        self.plain(name + ".weight", rows, columns, kind=np.float16)
        self.plain(name + ".bias", rows)

    def norm(self, name, width):
        self.writer.add_tensor(name + ".weight", np.ones(width, np.float32))
        self.plain(name + ".bias", width)


def saved(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_projector(path, size):
    vision, out = size["vision"], size["hidden"]
    hidden, inner, deep = vision["hidden_size"], vision["intermediate_size"], vision["deepstack_visual_indexes"]
    w = gguf.GGUFWriter(path, "clip")
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    w.add_bool("clip.has_vision_encoder", True)
    w.add_string("clip.projector_type", "qwen3vl_merger")
    w.add_bool("clip.use_gelu", True)
    for name, value in dict(image_size=768, patch_size=16, embedding_length=hidden, feed_forward_length=inner, block_count=vision["depth"], projection_dim=out,
                            spatial_merge_size=2).items():
        w.add_uint32("clip.vision." + name, value)
    w.add_uint32("clip.vision.attention.head_count", 16)
    w.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    w.add_array("clip.vision.image_mean", [0.5] * 3)
    w.add_array("clip.vision.image_std", [0.5] * 3)
    w.add_array("clip.vision.is_deepstack_layers", [i in deep for i in range(vision["depth"])])
    add = Weights(w)
    for name in ("v.patch_embd.weight", "v.patch_embd.weight.1"):
        add.plain(name, hidden, 3, 16, 16, kind=np.float16)
    add.plain("v.patch_embd.bias", hidden)
    add.plain("v.position_embd.weight", 2304, hidden)
    for i in range(vision["depth"]):
        block = f"v.blk.{i}."
        add.norm(block + "ln1", hidden)
        add.norm(block + "ln2", hidden)
        for name, rows, columns in (("attn_qkv", 3 * hidden, hidden), ("attn_out", hidden, hidden), ("ffn_up", inner, hidden), ("ffn_down", hidden, inner)):
            add.linear(block + name, rows, columns)
    for i in deep:
        add.norm(f"v.deepstack.{i}.norm", 4 * hidden)
        add.linear(f"v.deepstack.{i}.fc1", 4 * hidden, 4 * hidden)
        add.linear(f"v.deepstack.{i}.fc2", out, 4 * hidden)
    add.norm("v.post_ln", hidden)
    add.linear("mm.0", 4 * hidden, 4 * hidden)
    add.linear("mm.2", out, 4 * hidden)
    saved(w)


def write_text(path, size):
    hidden, head = size["hidden"], 128
    tokens = [chr(256 + i) if i < 33 or 127 <= i < 161 or i == 173 else chr(i) for i in range(256)] + SPECIAL
    w = gguf.GGUFWriter(path, "qwen3vl")
    w.add_block_count(1)
    w.add_context_length(4096)
    w.add_embedding_length(hidden)
    w.add_feed_forward_length(hidden)
    w.add_head_count(8)
    w.add_head_count_kv(8)
    w.add_key_length(head)
    w.add_value_length(head)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_rope_freq_base(5e6)
    w.add_rope_dimension_sections([24, 20, 20, 0])
    w.add_uint32("qwen3vl.n_deepstack_layers", len(size["vision"]["deepstack_visual_indexes"]))
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(tokens)
    w.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * len(SPECIAL))
    w.add_token_merges(["a b"])
    w.add_eos_token_id(256)
    add = Weights(w)
    add.plain("token_embd.weight", len(tokens), hidden, kind=np.float16)
    w.add_tensor("output_norm.weight", np.ones(hidden, np.float32))
    for name, rows, columns in (("attn_q", 8 * head, hidden), ("attn_k", 8 * head, hidden), ("attn_v", 8 * head, hidden), ("attn_output", hidden, 8 * head),
                                ("ffn_gate", hidden, hidden), ("ffn_up", hidden, hidden), ("ffn_down", hidden, hidden)):
        add.plain(f"blk.0.{name}.weight", rows, columns, kind=np.float16)
    for name, width in dict(attn_norm=hidden, ffn_norm=hidden, attn_q_norm=head, attn_k_norm=head).items():
        w.add_tensor(f"blk.0.{name}.weight", np.ones(width, np.float32))
    saved(w)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    size = SIZES[sys.argv[1]]
    write_projector(sys.argv[2], size)
    write_text(sys.argv[3], size)


main()
