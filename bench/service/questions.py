"""What happens between a question and the first word of its answer, on a running service.

    bench/service/questions.py DATABASE VIDEO_ID MODEL [--program build/release/prismvid] [--range START-END ...] [--log FILE] [--json FILE]

Asks about the last range (seconds) until the model is loaded, then about each of the others, twice more about the first one, then a follow-up that
knows the answer before it. Prints milliseconds:
until the search had found moments, until a window is looked at, until the first word; of it in the engine's queue, vision (which waits for
frames) and prefill; and tokens of the prompt, those found in the cache of keys and values among them.
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

QUESTIONS = ["What happens here?", "What is written on the screen?", "How many faces are there?"]


def metrics(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/metrics")
    values = {}
    for line in connection.getresponse().read().decode().splitlines():
        match = re.match(r'prismvid_engine_(\w+?)_total\{(?:.*phase="(\w+)")?.*\} (\S+)', line)
        if match and match[1] in ("seconds", "prompt_tokens", "cached_prompt_tokens"):
            values[match[2] or match[1]] = float(match[3])
    return values


def ask(port, video, question, window, history=()):
    """Milliseconds from the request to the first event of each kind, and the answer."""
    body = {"question": question, "stream": True, "windows": 1, "range": {"start": window[0], "end": window[1]}, "history": list(history)}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    start = time.perf_counter()
    connection.request("POST", f"/v1/videos/{video}/ask", json.dumps(body), {"Content-Type": "application/json"})
    response, first, answer, event = connection.getresponse(), {}, None, ""
    for line in response:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "event":
            event = value
            first.setdefault(event, 1000 * (time.perf_counter() - start))
        elif name == "data" and event in ("answer", "error"):
            answer = json.loads(value)
    if event != "answer" or answer["engine"] != "vlm":
        raise SystemExit(f"no answer of the model: {answer}")
    return first, answer


def measure(port, video, what, question, window, history=()):
    before = metrics(port)
    first, answer = ask(port, video, question, window, history)
    after = metrics(port)
    spent = {name: 1000 * (after[name] - before.get(name, 0)) for name in ("queue", "vision", "prefill")}
    tokens = {name: int(after[name] - before.get(name, 0)) for name in ("prompt_tokens", "cached_prompt_tokens")}
    told = first.get("token", first["answer"])  # a kept answer comes whole
    row = {"what": what, "found_ms": first["found"], "look_ms": first["look"], "first_word_ms": told, **{k + "_ms": v for k, v in spent.items()},
           **tokens, "answer_ms": first["answer"]}
    print(" ".join(f"{k} {v:.0f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)
    return row, {"question": question, "answer": answer["answer"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", type=pathlib.Path)
    parser.add_argument("video")
    parser.add_argument("model")
    parser.add_argument("--program", default="build/release/prismvid")
    parser.add_argument("--range", nargs="+", default=["0-6"])
    parser.add_argument("--log", type=pathlib.Path, help="where the service's own phases go")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    windows = [tuple(map(float, text.split("-"))) for text in arguments.range]
    folder = tempfile.TemporaryDirectory()  # a copy, so that nothing is answered from what earlier runs kept
    database = shutil.copy(arguments.database, folder.name)
    log = open(arguments.log, "w") if arguments.log else None
    process = subprocess.Popen([arguments.program, "serve", "--db", database, "--listen", "127.0.0.1:0", "--workers", "0", "--log-level",
                                "debug" if log else "warning"], stdout=subprocess.PIPE, stderr=log, text=True,
                               env={**os.environ, "PRISMVID_DEEP_MODEL": arguments.model})
    try:
        port = int(re.search(r":(\d+)/", process.stdout.readline()).group(1))
        rows = [measure(port, arguments.video, "the model is loaded", "What is in the picture?", windows[-1])[0]]
        for i, window in enumerate(windows[:-1]):
            rows.append(measure(port, arguments.video, f"new moment {i + 1}", QUESTIONS[0], window)[0])
        for question in QUESTIONS[1:3]:
            row, turn = measure(port, arguments.video, "the first again, another question", question, windows[0])
            rows.append(row)
        rows.append(measure(port, arguments.video, "a follow-up", "What happens after that?", windows[0], [turn])[0])
    finally:
        process.terminate()
        process.wait()
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


main()
