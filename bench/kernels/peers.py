#!/usr/bin/env python3
"""Times a peer of the CPU kernels and prints JSON; runs in build/bench/venv.

usage: peers.py llama GGUF REPEATS PREFILL...     decode behind 128 tokens and prefill by llama.cpp
       peers.py mlx {2b,4b,8b}                    one token's products by MLX's own CPU operations, which mlx-vlm runs
"""
import json
import os
import random
import statistics
import sys
import time

THREADS = len(os.sched_getaffinity(0))


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def llama(path, repeats, prefills):
    from llama_cpp import Llama
    model = Llama(path, n_ctx=4224, n_threads=THREADS, n_threads_batch=THREADS, n_batch=512, n_ubatch=512, verbose=False)
    draw = random.Random(0)

    def eval_new(count, keep=False):
        if not keep:
            model.reset()
        return seconds(lambda: model.eval([draw.randrange(1000, 100000) for _ in range(count)]))
    result = {"prefill": [{"tokens": n, "s": statistics.median(eval_new(n) for _ in range(repeats))} for n in prefills]}
    eval_new(128)
    result["decode"] = [{"context": 128, "s": statistics.median(eval_new(1, True) for _ in range(8 * repeats))}]
    return result


def mlx(name):
    import mlx.core as mx
    from random_checkpoint import HEAD_DIM, KEY_VALUE_HEADS, SIZES
    size = SIZES[name]
    hidden, inner = size["hidden"], size["inner"]
    wide, narrow = size["heads"] * HEAD_DIM, KEY_VALUE_HEADS * HEAD_DIM

    def product(rows, columns):
        w = mx.random.randint(0, 1 << 31, (rows, columns // 8)).astype(mx.uint32)
        scales = mx.full((rows, columns // 64), 0.01, mx.bfloat16)
        x = mx.ones((1, columns), mx.bfloat16)
        mx.eval(w, scales, x)
        return seconds(lambda: mx.eval(mx.quantized_matmul(x, w, scales, scales, transpose=True, group_size=64, bits=4)))
    layer = [(wide, hidden), (narrow, hidden), (narrow, hidden), (hidden, wide), (inner, hidden), (inner, hidden), (hidden, inner)]
    each = sum(product(*shape) for shape in layer)
    return {"token_s": size["layers"] * each + product(size["vocabulary"], hidden)}


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    result = llama(sys.argv[2], int(sys.argv[3]), [int(n) for n in sys.argv[4:]]) if sys.argv[1] == "llama" else mlx(sys.argv[2])
    print(json.dumps(result))


main()
