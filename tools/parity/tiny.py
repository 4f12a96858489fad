"""Tiny random checkpoints of every kind, written by transformers with a real-shaped tokenizer."""

import json
from pathlib import Path

import torch
from transformers import (PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLMoeConfig,
                          Qwen3VLMoeForConditionalGeneration)

from .tokenizers_of_qwen import SPECIAL

VOCABULARY = 768
TEXT = dict(vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=4, num_attention_heads=4,
            num_key_value_heads=2, head_dim=32, max_position_embeddings=4096, rms_norm_eps=1e-6, hidden_act="silu",
            attention_bias=False,
            rope_parameters={"rope_type": "default", "rope_theta": 5e6, "mrope_section": [6, 5, 5],
                             "mrope_interleaved": True})
VISION = dict(in_channels=3, patch_size=16, temporal_patch_size=2, spatial_merge_size=2, out_hidden_size=64,
              num_position_embeddings=144, hidden_act="gelu_pytorch_tanh")
MOE = dict(num_experts=8, num_experts_per_tok=2, moe_intermediate_size=32, decoder_sparse_step=1, mlp_only_layers=[],
           norm_topk_prob=True)
KINDS = {
    "dense_tied": dict(moe=False, tied=True, vision=dict(depth=3, hidden_size=128, num_heads=2, intermediate_size=160,
                                                         deepstack_visual_indexes=[1])),
    "dense_untied": dict(moe=False, tied=False, vision=dict(depth=4, hidden_size=72, num_heads=1, intermediate_size=88,
                                                            deepstack_visual_indexes=[0, 1, 2])),
    "moe": dict(moe=True, tied=False, vision=dict(depth=2, hidden_size=32, num_heads=2, intermediate_size=48,
                                                  deepstack_visual_indexes=[0])),
}
IMAGE_PROCESSOR = {"image_processor_type": "Qwen2VLImageProcessor", "size": {"shortest_edge": 4096, "longest_edge": 65536},
                   "patch_size": 16, "temporal_patch_size": 2, "merge_size": 2, "image_mean": [0.5, 0.5, 0.5],
                   "image_std": [0.5, 0.5, 0.5]}
VIDEO_PROCESSOR = {"video_processor_type": "Qwen3VLVideoProcessor", "size": {"shortest_edge": 4096, "longest_edge": 196608},
                   "patch_size": 16, "temporal_patch_size": 2, "merge_size": 2, "fps": 2, "min_frames": 4,
                   "max_frames": 12, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}


def model_config(kind, tokenizer):
    settings = KINDS[kind]
    ids = {t: tokenizer.token_to_id(t) for t in SPECIAL}
    config = dict(text_config=TEXT | (MOE if settings["moe"] else {}), vision_config=VISION | settings["vision"],
                  image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
                  vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
                  tie_word_embeddings=settings["tied"])
    return (Qwen3VLMoeConfig if settings["moe"] else Qwen3VLConfig)(**config)


def randomize(model, seed):
    """Weights that keep activations near 1, so that every stage matters; bfloat16 values, so that files stay small."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        values = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim == 1:
            values = values * 0.1 + (1.0 if "norm" in name and name.endswith("weight") else 0.0)
        elif "embed" in name and "patch" not in name:
            values = values * 0.5
        else:
            experts = "experts" in name
            fan_in = parameter.shape[-1] if not experts else TEXT["hidden_size"]
            values = values * (1.5 / fan_in**0.5) if parameter.ndim < 5 else values * (2 / 1536**0.5)
        parameter.data = values.to(torch.bfloat16).to(torch.float32)


def make(kind, tokenizer, folder):
    """Writes the checkpoint and returns the model in float32."""
    config = model_config(kind, tokenizer)
    cls = Qwen3VLMoeForConditionalGeneration if KINDS[kind]["moe"] else Qwen3VLForConditionalGeneration
    model = cls(config).eval()
    randomize(model, seed=len(kind))
    model.tie_weights()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(folder)
    model = cls.from_pretrained(folder, dtype=torch.float32).eval()
    end = [tokenizer.token_to_id("<|im_end|>"), tokenizer.token_to_id("<|endoftext|>")]
    (folder / "generation_config.json").write_text(json.dumps(
        {"do_sample": True, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "eos_token_id": end}))
    (folder / "preprocessor_config.json").write_text(json.dumps(IMAGE_PROCESSOR, indent=1))
    (folder / "video_preprocessor_config.json").write_text(json.dumps(VIDEO_PROCESSOR, indent=1))
    return model


def fast_tokenizer(tokenizer, template):
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = template
    return fast
