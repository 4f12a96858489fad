"""Load time and peak memory of a checkpoint beside the size of its files: checkpoint_load.py PROGRAM FOLDER [--runs 3]

    python bench/checkpoint_load.py build/release/prismvid build/bench/8b-3bit

Where there is no FOLDER an 8B of 3 bits with random weights is written there, with the small tokenizer of the tests. The files are
read once before, so that they come from the disk cache; a plain read of them is timed too, which no load can beat.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path


ROOT = Path(__file__).parents[1]


def make(folder):
    subprocess.run([sys.executable, ROOT / "bench/kernels/random_checkpoint.py", "8b", "3", folder], check=True)
    shutil.copy(ROOT / "tests/golden/tokenizer/tokenizer.json", folder)


def read_all(folder):
    start, total = time.perf_counter(), 0
    for path in sorted(folder.glob("*.safetensors")):
        with open(path, "rb", buffering=0) as file:
            while block := file.read(1 << 24):
                total += len(block)
    return total, time.perf_counter() - start


def run(program, folder, options):
    command = [program, "generate", "--model", folder, "--prompt", "What happens?", "--max-tokens", "4", "--temperature", "0",
               "--ignore-eos", "--format", "json", *options]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert len(answer["token_ids"]) == 4
    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("options", nargs="*", help="more options of generate, behind --")
    arguments = parser.parse_args()
    if not arguments.folder.exists():
        make(arguments.folder)
    read_all(arguments.folder)
    size, read_seconds = read_all(arguments.folder)
    print(f"files {size / 1e9:.2f} GB, read again in {read_seconds:.2f} s; {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    for _ in range(arguments.runs):
        answer = run(arguments.program, arguments.folder, arguments.options)
        peak, timings = answer["peak_memory_bytes"], answer["timings_ms"]
        print(f"load {timings['load'] / 1000:.2f} s, peak {peak / 1e9:.2f} GB = {peak / size:.2f} of the files, "
              f"prefill {timings['prefill']:.0f} ms, 4 tokens {timings['decode']:.0f} ms")


if __name__ == "__main__":
    main()
