#!/usr/bin/env python3
"""Times a peer of the CPU kernels and prints JSON; runs in build/bench/venv.

usage: peers.py llama GGUF REPEATS PREFILL...     decode behind 128 tokens and prefill by llama.cpp
       peers.py mtmd PROJECTOR TEXT REPEATS WxH    one picture through the tower by llama.cpp's mtmd
       peers.py replies GGUF PROMPT+REPLY...       whole replies by llama.cpp, one after the other: that many tokens read, that many written
       peers.py mlx-vlm FOLDER PICTURE QUESTION N  a question about a picture and a reply of N tokens by mlx-vlm
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


def replies(path, requests):
    from llama_cpp import Llama
    model = Llama(path, n_ctx=max(prompt + reply for prompt, reply in requests) + 8, n_threads=THREADS, n_threads_batch=THREADS, n_batch=512, n_ubatch=512,
                  verbose=False)
    draw = random.Random(0)

    def read(count):
        return seconds(lambda: model.eval([draw.randrange(1000, 100000) for _ in range(count)]))
    results = []
    for prompt, reply in requests:
        model.reset()
        results.append({"prompt": prompt, "reply": reply, "prefill_s": read(prompt), "decode_s": sum(read(1) for _ in range(reply))})
        print(results[-1], file=sys.stderr)
    return {"replies": results}


def mtmd(projector, text, repeats, width, height):
    import ctypes

    from llama_cpp import Llama, mtmd_cpp
    model = Llama(text, n_ctx=64, n_threads=THREADS, verbose=False)
    params = mtmd_cpp.mtmd_context_params_default()
    params.use_gpu, params.warmup, params.n_threads, params.print_timings = False, False, THREADS, False
    context = mtmd_cpp.mtmd_init_from_file(projector.encode(), model.model, params)
    pixels = random.Random(0).randbytes(width * height * 3)
    picture = mtmd_cpp.mtmd_bitmap_init(width, height, (ctypes.c_uint8 * len(pixels)).from_buffer_copy(pixels))
    chunks, marker = mtmd_cpp.mtmd_input_chunks_init(), mtmd_cpp.mtmd_default_marker()
    prompt = mtmd_cpp.mtmd_input_text(marker, len(marker), False, True)
    if mtmd_cpp.mtmd_tokenize(context, chunks, ctypes.byref(prompt), (ctypes.c_void_p * 1)(picture), 1) != 0:
        sys.exit("mtmd did not take the picture")
    every = [mtmd_cpp.mtmd_input_chunks_get(chunks, i) for i in range(mtmd_cpp.mtmd_input_chunks_size(chunks))]
    chunk = next(c for c in every if mtmd_cpp.mtmd_input_chunk_get_type(c) == mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_IMAGE)

    def encode():
        if mtmd_cpp.mtmd_encode_chunk(context, chunk) != 0:
            sys.exit("mtmd could not encode the picture")
    tokens = mtmd_cpp.mtmd_input_chunk_get_n_tokens(chunk)
    return {"vision": {"patches": 4 * tokens, "s": statistics.median(seconds(encode) for _ in range(repeats))}}


def mlx_vlm(folder, picture, question, tokens):
    from mlx_vlm import apply_chat_template, generate, load
    model, processor = load(folder)
    replies = []

    def answer():
        prompt = apply_chat_template(processor, model.config, question, num_images=1)
        replies.append(generate(model, processor, prompt, [picture], max_tokens=tokens, temperature=0))
    return {"s": seconds(answer), "prompt_tokens": replies[0].prompt_tokens, "tokens": replies[0].generation_tokens}


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
    what, *words = sys.argv[1:]
    if what == "llama":
        result = llama(words[0], int(words[1]), [int(n) for n in words[2:]])
    elif what == "replies":
        result = replies(words[0], [tuple(map(int, word.split("+"))) for word in words[1:]])
    elif what == "mtmd":
        result = mtmd(words[0], words[1], int(words[2]), *map(int, words[3].split("x")))
    elif what == "mlx-vlm":
        result = mlx_vlm(*words[:3], int(words[3]))
    else:
        result = mlx(words[0])
    print(json.dumps(result))


main()
