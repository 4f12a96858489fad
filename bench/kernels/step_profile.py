#!/usr/bin/env python3
"""Says by perf where the thread that asks for a token spends its time, as shares: in kernels, handing tasks to other threads and waiting
for them, and in all that is around those: calls, allocation, MLX, picking the token.

usage: step_profile.py CHECKPOINT      (needs Linux, perf and the right to use it)
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = pathlib.Path(__file__).resolve().parent.parent.parent / "build/release/model_bench"
STEP = "Measurement::decode(int)::{lambda()#1}"
# A task, or a kernel of an instruction set that the thread calls itself. Stacks of tasks often end above: their frames are aligned anew.
KERNEL = re.compile(r"_Function_handler<void \(int\)|kernels::\w+<prismvid::nn::kernels::(Avx|Neon)")


def kind_of(stack):
    """None: not of a step."""
    if KERNEL.search(stack) and "bench::read_" not in stack and (STEP in stack or "main" not in stack):
        return "kernels"
    if STEP not in stack:
        return None
    return "threads" if "ThreadPool" in stack or "TaskRange" in stack else "around"


def samples_of(text):
    return [sample.strip() for sample in text.split("\n\n") if sample.strip()]


def can_profile():
    probe = ["perf", "record", "-q", "-e", "cpu-clock", "-o", "/dev/null", "true"]
    return bool(shutil.which("perf")) and subprocess.run(probe, capture_output=True).returncode == 0


def profile(checkpoint, rounds=24):
    with tempfile.TemporaryDirectory() as folder:
        record = ["perf", "record", "-q", "--no-inherit", "-e", "cpu-clock", "-F", "999", "--call-graph", "dwarf,8192", "-o", f"{folder}/perf"]
        bench = [PROGRAM, checkpoint, "--decode", "128", "--repeats", str(rounds)]
        token_s = json.loads(subprocess.run(record + bench, check=True, stdout=subprocess.PIPE).stdout)["decode"][0]["s"]
        text = subprocess.run(["perf", "script", "-i", f"{folder}/perf", "--no-inline", "-F", "ip,sym"], check=True, capture_output=True, text=True).stdout
    samples = samples_of(text)
    first = next(i for i, stack in enumerate(samples) if STEP in stack)  # behind the prompt
    kinds = [kind_of(stack) for stack in samples[first:]]
    counted = {kind: kinds.count(kind) for kind in ("kernels", "threads", "around")}
    return {"samples": sum(counted.values()), "token_s": token_s, **{kind: count / sum(counted.values()) for kind, count in counted.items()}}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not can_profile():
        sys.exit("step_profile.py needs perf and the right to use it")
    print(json.dumps(profile(sys.argv[1])))


if __name__ == "__main__":
    main()
