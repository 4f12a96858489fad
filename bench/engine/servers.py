#!/usr/bin/env python3
"""Gives the same concurrent chat requests to prismvid serve and to the servers of llama.cpp and mlx-vlm, one server after the other
on the same machine, and prints the total time of each. Random weights of Qwen3-VL-2B's sizes, 4 bit, made where they are missing.

usage: servers.py [--requests N] [--tokens N] [--turns N] [--only prismvid llama.cpp mlx-vlm] [--limit SECONDS] [--json FILE]
Needs tools/setup.sh bench. A server that has not answered everything after --limit seconds is stopped and reported as such.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "build/bench"
MODELS, PYTHON = RESULTS / "models", RESULTS / "venv/bin/python"
CHECKPOINT, GGUF = MODELS / "engine-2b-4", MODELS / "engine-2b-Q4_0.gguf"
TOPICS = ["red cars", "a market", "the harbour", "two dogs", "a wedding", "street signs", "a football match", "an old library"]


def prepare():
    MODELS.mkdir(parents=True, exist_ok=True)
    if not (CHECKPOINT / "model.safetensors").exists():
        subprocess.run([PYTHON, ROOT / "bench/engine/random_checkpoint.py", CHECKPOINT], cwd=ROOT, check=True)
    if not GGUF.exists():
        subprocess.run([PYTHON, ROOT / "bench/kernels/random_gguf.py", "2b", "Q4_0", GGUF, CHECKPOINT / "tokenizer.json"], check=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def command_of(name, port):
    threads = str(len(os.sched_getaffinity(0)))
    if name == "prismvid":
        return [ROOT / "build/release/prismvid", "serve", "--listen", f"127.0.0.1:{port}", "--db", RESULTS / "servers.db", "--workers", "0"]
    if name == "llama.cpp":
        return [PYTHON, "-m", "llama_cpp.server", "--model", GGUF, "--host", "127.0.0.1", "--port", str(port), "--n_ctx", "4096", "--n_threads", threads,
                "--n_threads_batch", threads, "--chat_format", "chatml"]
    return [PYTHON, "-m", "mlx_vlm.server", "--host", "127.0.0.1", "--port", str(port), "--model", CHECKPOINT]


def ask(port, model, text, tokens, seconds):
    body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": tokens, "temperature": 0}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        usage = json.load(answer)["usage"]
    return usage.get("completion_tokens", usage.get("output_tokens")), usage.get("prompt_tokens", usage.get("input_tokens"))


def wait_until_it_answers(process, port, model, limit):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"{process.args} ended with {process.returncode}: see {RESULTS}/servers.log")
        try:
            return ask(port, model, "Hello", 1, end - time.monotonic())  # loads the model
        except urllib.error.HTTPError as error:
            sys.exit(f"{process.args}: {error} {error.read()[:300]}")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise TimeoutError


def turn(port, model, number, arguments):
    texts = [f"Turn {number}, clip {i}: describe {TOPICS[i % len(TOPICS)]} as if you had seen them for a minute, in order, with times." for i in range(arguments.requests)]
    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(arguments.requests) as pool:
        answers = list(pool.map(lambda text: ask(port, model, text, arguments.tokens, arguments.limit), texts))
    return {"s": time.perf_counter() - start, "tokens": sum(a[0] for a in answers), "prompt_tokens": sum(a[1] for a in answers)}


def measure(name, arguments):
    port = free_port()
    with open(RESULTS / "servers.log", "a") as log:
        process = subprocess.Popen([str(part) for part in command_of(name, port)], stdout=log, stderr=log, env={**os.environ, "PRISMVID_DEEP_MODEL": str(CHECKPOINT), "PRISMVID_MODELS": str(ROOT / "build/models")},
                                   start_new_session=True)
    try:
        model = str(CHECKPOINT) if name == "mlx-vlm" else "default"
        wait_until_it_answers(process, port, model, arguments.limit)
        turns = [turn(port, model, number, arguments) for number in range(arguments.turns)]
        middle = statistics.median(t["s"] for t in turns)
        return next(t for t in turns if t["s"] == middle) | {"turns_s": [t["s"] for t in turns]}
    except (TimeoutError, urllib.error.URLError) as error:
        return {"not_ended_after_s": arguments.limit, "why": str(error)}
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--turns", type=int, default=3, help="odd, so that there is a middle one")
    parser.add_argument("--only", nargs="+", default=["prismvid", "llama.cpp", "mlx-vlm"])
    parser.add_argument("--limit", type=float, default=900)
    parser.add_argument("--json", type=pathlib.Path, default=RESULTS / "servers.json")
    arguments = parser.parse_args()
    prepare()
    results = json.loads(arguments.json.read_text()) if arguments.json.exists() else {}
    for name in arguments.only:
        results[name] = measure(name, arguments) | {"requests": arguments.requests, "asked_tokens": arguments.tokens}
        print(name, results[name], flush=True)
        arguments.json.write_text(json.dumps(results, indent=1))


main()
