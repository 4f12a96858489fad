"""A checkpoint of Qwen3-VL-2B's shapes with random weights, text layers in 4 bits as mlx-community has them, and a made-up
vocabulary of its size: it writes nonsense as fast as the real one writes sense. Usage: random_checkpoint.py FOLDER"""
import json
import pathlib
import random
import sys

import mlx.core as mx

HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, INNER, VOCABULARY = 2048, 28, 16, 8, 128, 6144, 151936
DEPTH, VISION, VISION_INNER, POSITIONS, TAPS = 24, 1024, 4096, 2304, [5, 11, 17]
TOKENS, FIRST_ADDED = 151643, 151643
ADDED = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>",
         "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"]


def quantized(name, rows, columns):
    words = mx.random.randint(0, 2**31 - 1, (rows, columns // 8)).astype(mx.uint32)
    scales = mx.full((rows, columns // 64), 0.06 / columns**0.5, mx.bfloat16)
    return {f"{name}.weight": words, f"{name}.scales": scales, f"{name}.biases": scales * -7.5}


def plain(name, *shape):
    return {name: (mx.random.normal(shape) * (0.3 / shape[-1] ** 0.5)).astype(mx.bfloat16)}


def ones(name, width):
    return {name: mx.ones((width,), mx.bfloat16)}


def linear(name, rows, columns):
    return {**plain(f"{name}.weight", rows, columns), f"{name}.bias": mx.zeros((rows,), mx.bfloat16)}


def norm(name, width):
    return {**ones(f"{name}.weight", width), f"{name}.bias": mx.zeros((width,), mx.bfloat16)}


def text_tensors():
    root = "language_model.model."
    tensors = {**quantized(root + "embed_tokens", VOCABULARY, HIDDEN), **ones(root + "norm.weight", HIDDEN)}
    for i in range(LAYERS):
        layer = f"{root}layers.{i}."
        for name, rows, columns in [("self_attn.q_proj", HEADS * HEAD_DIM, HIDDEN), ("self_attn.k_proj", KV_HEADS * HEAD_DIM, HIDDEN),
                                    ("self_attn.v_proj", KV_HEADS * HEAD_DIM, HIDDEN), ("self_attn.o_proj", HIDDEN, HEADS * HEAD_DIM),
                                    ("mlp.gate_proj", INNER, HIDDEN), ("mlp.up_proj", INNER, HIDDEN), ("mlp.down_proj", HIDDEN, INNER)]:
            tensors |= quantized(layer + name, rows, columns)
        for name, width in [("self_attn.q_norm", HEAD_DIM), ("self_attn.k_norm", HEAD_DIM), ("input_layernorm", HIDDEN),
                            ("post_attention_layernorm", HIDDEN)]:
            tensors |= ones(f"{layer}{name}.weight", width)
    return tensors


def vision_tensors():
    root, joined = "vision_tower.", 4 * VISION
    tensors = {**plain(root + "patch_embed.proj.weight", VISION, 2, 16, 16, 3), root + "patch_embed.proj.bias": mx.zeros((VISION,), mx.bfloat16),
               **plain(root + "pos_embed.weight", POSITIONS, VISION)}
    for i in range(DEPTH):
        block = f"{root}blocks.{i}."
        tensors |= {**norm(block + "norm1", VISION), **norm(block + "norm2", VISION), **linear(block + "attn.qkv", 3 * VISION, VISION),
                    **linear(block + "attn.proj", VISION, VISION), **linear(block + "mlp.linear_fc1", VISION_INNER, VISION),
                    **linear(block + "mlp.linear_fc2", VISION, VISION_INNER)}
    for name, width in [("merger", VISION)] + [(f"deepstack_merger_list.{i}", joined) for i in range(len(TAPS))]:
        tensors |= {**norm(f"{root}{name}.norm", width), **linear(f"{root}{name}.linear_fc1", joined, joined),
                    **linear(f"{root}{name}.linear_fc2", HIDDEN, joined)}
    return tensors


def config():
    rope = {"mrope_interleaved": True, "mrope_section": [24, 20, 20], "rope_type": "default"}
    return {"model_type": "qwen3_vl", "tie_word_embeddings": True, "image_token_id": FIRST_ADDED + 12, "video_token_id": FIRST_ADDED + 13,
            "vision_start_token_id": FIRST_ADDED + 9, "vision_end_token_id": FIRST_ADDED + 10,
            "quantization": {"group_size": 64, "bits": 4, "mode": "affine"},
            "text_config": {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS,
                            "head_dim": HEAD_DIM, "intermediate_size": INNER, "vocab_size": VOCABULARY, "max_position_embeddings": 262144,
                            "rms_norm_eps": 1e-6, "rope_theta": 5e6, "rope_scaling": rope, "attention_bias": False, "hidden_act": "silu",
                            "tie_word_embeddings": True, "model_type": "qwen3_vl_text"},
            "vision_config": {"depth": DEPTH, "hidden_size": VISION, "intermediate_size": VISION_INNER, "num_heads": 16, "in_channels": 3,
                              "patch_size": 16, "temporal_patch_size": 2, "spatial_merge_size": 2, "out_hidden_size": HIDDEN,
                              "num_position_embeddings": POSITIONS, "deepstack_visual_indexes": TAPS, "hidden_act": "gelu_pytorch_tanh",
                              "model_type": "qwen3_vl"}}


def tokenizer():
    """Byte pairs merged at random, mostly as letters follow each other in words."""
    shown = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table = {byte: chr(byte) for byte in shown}
    table |= {byte: chr(256 + i) for i, byte in enumerate(byte for byte in range(256) if byte not in shown)}
    picks = random.Random(1)
    tokens = [table[byte] for byte in range(256)]
    known, merges = set(tokens), []
    letters = [table[ord(c)] for c in "eeeeetttaaaooiinnsshhrrdlcumwfgypbvk"] + [table[b] for b in range(0x80, 0xC0)]
    while len(tokens) < TOKENS:
        left = picks.choice(letters) if picks.random() < 0.2 else tokens[-picks.randint(1, min(len(tokens), 60000))]
        right = picks.choice(letters) if picks.random() < 0.6 else tokens[picks.randint(256, len(tokens) - 1)] if len(tokens) > 300 else picks.choice(letters)
        if picks.random() < 0.05:
            left = table[32]
        token = left + right
        if len(token) > 12 or token in known:
            continue
        known.add(token)
        tokens.append(token)
        merges.append([left, right])
    return {"version": "1.0", "added_tokens": [{"id": FIRST_ADDED + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
                                                "normalized": False, "special": True} for i, text in enumerate(ADDED)],
            "normalizer": {"type": "NFC"}, "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "vocab": {token: i for i, token in enumerate(tokens)}, "merges": merges}}


def processor_files(folder):
    """What mlx-vlm asks for beside the weights; PrismVid needs none of it."""
    demo = pathlib.Path("assets/models/demo-world-vlm")
    for name in ("preprocessor_config.json", "video_preprocessor_config.json"):
        (folder / name).write_text((demo / name).read_text())
    settings = json.loads((demo / "tokenizer_config.json").read_text())
    del settings["added_tokens_decoder"]  # ids of another vocabulary
    (folder / "chat_template.jinja").write_text(settings["chat_template"])
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    mx.random.seed(1)
    mx.save_safetensors(str(folder / "model.safetensors"), {**text_tensors(), **vision_tensors()}, {"format": "mlx"})
    shape = json.loads(pathlib.Path("tests/golden/tokenizer/tokenizer.json").read_text())
    made = tokenizer()
    shape["added_tokens"], shape["model"]["vocab"], shape["model"]["merges"] = made["added_tokens"], made["model"]["vocab"], made["model"]["merges"]
    (folder / "tokenizer.json").write_text(json.dumps(shape))
    (folder / "config.json").write_text(json.dumps(config()))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [FIRST_ADDED + 2, FIRST_ADDED]}))
    processor_files(folder)


if __name__ == "__main__":
    main()
