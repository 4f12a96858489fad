"""mlx-lm on the same shapes with random weights: decode of one sequence and prefill, a line for each.

  mlx_lm_baseline.py BITS...      (16: bfloat16)
"""
import sys
import time

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models import cache, qwen3

PREFILL, CHUNK, STEPS = 8192, 2048, 100


def model_of(bits):
    arguments = qwen3.ModelArgs(
        model_type="qwen3", hidden_size=4096, num_hidden_layers=36, intermediate_size=12288, num_attention_heads=32,
        rms_norm_eps=1e-6, vocab_size=151936, num_key_value_heads=8, max_position_embeddings=262144, rope_theta=5e6,
        head_dim=128, tie_word_embeddings=False)
    mx.random.seed(1)
    model = qwen3.Model(arguments)
    model.set_dtype(mx.bfloat16)
    if bits < 16:
        nn.quantize(model, 64, bits)
    mx.eval(model.parameters())
    return model


def measure(bits):
    model = model_of(bits)
    ids = mx.random.randint(0, 150000, (1, PREFILL))
    best = 1e9
    for _ in range(2):
        state = cache.make_prompt_cache(model)
        start = time.perf_counter()
        for first in range(0, PREFILL, CHUNK):
            last = model(ids[:, first:first + CHUNK], cache=state)[:, -1]
            mx.eval([part.state for part in state])
        mx.eval(last)
        best = min(best, time.perf_counter() - start)
    state = cache.make_prompt_cache(model)
    token = mx.argmax(model(ids[:, :128], cache=state)[:, -1], -1)[None]
    mx.eval(token)
    for step in range(STEPS + 10):
        if step == 10:
            start = time.perf_counter()
        following = mx.argmax(model(token, cache=state)[:, -1], -1)[None]
        mx.async_eval(following)
        mx.eval(token)
        token = following
    mx.eval(token)
    spent = (time.perf_counter() - start) / STEPS
    print(f"mlx-lm {bits} bit: decode {1 / spent:.0f} tok/s, prefill {PREFILL} in chunks of {CHUNK} {PREFILL / best:.0f} tok/s", flush=True)


for argument in sys.argv[1:]:
    measure(int(argument))
