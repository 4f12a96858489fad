#!/usr/bin/env python3
"""Writes a GGUF of Qwen3-VL's text decoder with random weights, so that llama.cpp is timed on the sizes of random_checkpoint.py.

usage: random_gguf.py {2b,4b,8b} {Q4_0,Q8_0,Q3_K} OUT.gguf [TOKENIZER.json]     (needs the package gguf)
Without a tokenizer the file has no vocabulary: it takes token ids. All layers share one layer's numbers, written once for each.
"""
import json
import sys

import gguf
import numpy as np

from random_checkpoint import HEAD_DIM, KEY_VALUE_HEADS, SIZES


FILE_TYPES = {"Q4_0": gguf.LlamaFileType.MOSTLY_Q4_0, "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0, "Q3_K": gguf.LlamaFileType.MOSTLY_Q3_K_M}


def matrix(random, kind, rows, columns):
    """Blocks of random bytes with a float16 scale of their own, which stands first, in K-quants last."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    data = random.integers(0, 256, (rows * columns // block, size), dtype=np.uint8)
    scale = slice(-2, None) if kind.name.endswith("K") else slice(2)
    data[:, scale] = (random.random(len(data)) * 0.004 + 0.001).astype(np.float16).view(np.uint8).reshape(-1, 2)
    return data.reshape(rows, -1)


def add_vocabulary(w, path, count):
    """The byte pairs of a tokenizer.json, filled up to `count` tokens."""
    with open(path) as file:
        tokenizer = json.load(file)
    tokens = [f"[PAD{i}]" for i in range(count)]
    types = [gguf.TokenType.UNUSED] * count
    for token, i in tokenizer["model"]["vocab"].items():
        tokens[i], types[i] = token, gguf.TokenType.NORMAL
    for added in tokenizer["added_tokens"]:
        tokens[added["id"]], types[added["id"]] = added["content"], gguf.TokenType.CONTROL
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(tokens)
    w.add_token_types(types)
    w.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    w.add_eos_token_id(tokens.index("<|im_end|>"))


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    size, kind = SIZES[sys.argv[1]], gguf.GGMLQuantizationType[sys.argv[2]]
    random = np.random.default_rng(0)
    hidden, wide, narrow, inner = size["hidden"], size["heads"] * HEAD_DIM, KEY_VALUE_HEADS * HEAD_DIM, size["inner"]
    w = gguf.GGUFWriter(sys.argv[3], "qwen3")
    w.add_block_count(size["layers"])
    w.add_context_length(32768)
    w.add_embedding_length(hidden)
    w.add_feed_forward_length(inner)
    w.add_head_count(size["heads"])
    w.add_head_count_kv(KEY_VALUE_HEADS)
    w.add_key_length(HEAD_DIM)
    w.add_value_length(HEAD_DIM)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_rope_freq_base(5e6)
    w.add_vocab_size(size["vocabulary"])
    if len(sys.argv) == 5:
        add_vocabulary(w, sys.argv[4], size["vocabulary"])
    else:
        w.add_tokenizer_model("no_vocab")
    w.add_file_type(FILE_TYPES[kind.name])
    head = matrix(random, kind, size["vocabulary"], hidden)
    w.add_tensor("token_embd.weight", head, raw_dtype=kind)
    if not size["tied"]:
        w.add_tensor("output.weight", head, raw_dtype=kind)
    w.add_tensor("output_norm.weight", np.ones(hidden, np.float32))
    shapes = dict(attn_q=(wide, hidden), attn_k=(narrow, hidden), attn_v=(narrow, hidden), attn_output=(hidden, wide),
                  ffn_gate=(inner, hidden), ffn_up=(inner, hidden), ffn_down=(hidden, inner))
    layer = {name: matrix(random, kind, *shape) for name, shape in shapes.items()}
    norms = dict(attn_norm=hidden, ffn_norm=hidden, attn_q_norm=HEAD_DIM, attn_k_norm=HEAD_DIM)
    for i in range(size["layers"]):
        for name, data in layer.items():
            w.add_tensor(f"blk.{i}.{name}.weight", data, raw_dtype=kind)
        for name, width in norms.items():
            w.add_tensor(f"blk.{i}.{name}.weight", np.ones(width, np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main()
