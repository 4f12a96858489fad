"""Writes docs/parity.md: what was compared with the reference implementations, and how close it came.

    python -m parity.table build/release [--tiktoken qwen.tiktoken]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAD = """# Parity of the deep stage with its references

Made by `tools/parity/table.py`; do not edit. Reference: transformers {transformers}, torch {torch}, tokenizers
{tokenizers}, Pillow {pillow}; mlx-vlm 0.7.10 for quantised checkpoints. Checkpoints: tiny random ones of
`tools/dump_golden.py` (tied and untied heads, towers of head size 64 and 72, mixture of experts), in float32 on the CPU.
No real checkpoint was at hand where this was made.

Errors are the largest difference divided by the largest magnitude of the reference; the limit is 1e-4.
"""


def run_tests(build, binary, pattern):
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        done = subprocess.run([build / binary, f"--gtest_filter={pattern}", f"--gtest_output=json:{report.name}"],
                              stdout=subprocess.DEVNULL)
        suites = json.loads(Path(report.name).read_text())["testsuites"]
    if done.returncode:
        sys.exit(f"{binary} {pattern} failed: no table is written")
    return {test["name"]: test for suite in suites for test in suite["testsuite"]}


def properties(test):
    known = {"name", "file", "line", "status", "result", "timestamp", "time", "classname", "value_param"}
    return {key: value for key, value in test.items() if key not in known}


def table(title, columns):
    """`columns`: name -> {row: value}."""
    rows = list(dict.fromkeys(row for values in columns.values() for row in values))
    lines = [f"\n## {title}\n", "| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {row} | " + " | ".join(values.get(row, "") for values in columns.values()) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def by_kind(tests, prefix):
    """Of tests that run for each kind of checkpoint, named PREFIX.../KIND."""
    return {name.split("/")[1]: properties(test) for name, test in tests.items() if name.startswith(prefix) and "/" in name}


def tokenizer_lines(build, tiktoken):
    lines = []
    for arguments in ([], ["--tiktoken", tiktoken]) if tiktoken else ([],):
        output = subprocess.run([sys.executable, "-m", "parity.compare_tokenizer", build / "tokenize_lines", *arguments],
                                cwd=ROOT / "tools", capture_output=True, text=True, check=True).stdout
        lines.append("- " + ("Qwen's vocabulary: " if arguments else "A small trained vocabulary: ") +
                     output.strip().splitlines()[-1])
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--tiktoken", type=Path)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    names = json.loads((ROOT / "tests/golden/models/versions.json").read_text())
    tests = run_tests(build, "qwen3_vl_model_test", "*ModelGolden*:Convert*:CpuKernels*:Yarn*")
    run_tests(build, "qwen3_vl_processor_test", "*")
    text = HEAD.format(**names)
    text += table("Hidden states, stage by stage", by_kind(tests, "EveryStage"))
    text += table("Logits of the last four prompt tokens", by_kind(tests, "Logits"))
    text += table("Quantised by `prismvid models convert`: logits against mlx-vlm's",
                  {"relative error": properties(tests["EqualsMlxVlmBitForBitAndItsLogits"])})
    text += table("Every path packed in its own way (affine 3, 6 and 8 bits, mxfp8, nvfp4), the vision tower too: logits behind a"
                  " picture against mlx-vlm's",
                  {"relative error": properties(tests["MixedPathsAndAQuantisedTowerEqualMlxVlm"])})
    rounded = properties(tests["LogitsInBfloat16AreCloserToTheExactOnesThanMlxs"])
    text += table("bfloat16 on a CPU: lowest cosine with the exact logits of the same checkpoint",
                  {title: {key.split(":")[1]: value for key, value in rounded.items() if key.startswith(f"{kind}:")}
                   for title, kind in (("MLX's operations", "mlx"), ("PrismVid's kernels", "fast"),
                                       ("with `--precise`", "precise"))})
    text += "\n## Equal\n\n" + "\n".join([
        tokenizer_lines(build, arguments.tiktoken and arguments.tiktoken.resolve()),
        "- 30 conversations (Instruct and Thinking, tools, tool results, media, several turns): the templates' text; token ids"
        " wherever no user text spells an added token, which here stays text by design.",
        "- Prompt ids and three-axis positions of each of the prompts above.",
        "- Grids, sampled frames and timestamps: the reference's at the released limits.",
        "- Pixel rows: equal to the reference's PIL processor within one unit in the last place of float32, at most 1/255 from"
        " its torchvision one; the bicubic resize equal to Pillow bit for bit in 10 sizes.",
        "- 64 greedy tokens of each of the prompts above on each of the three checkpoints.",
        "- Prefill in chunks of 1, 7, 64 and 512 tokens, with borders inside images, equals one shot within the limit.",
        "- YaRN's frequencies and lengths of queries and keys: transformers 5.23.0's within 1e-5.",
        "- Tensors of every conversion in the table above: the hashes of mlx-vlm 0.7.10's.", ""])
    (ROOT / "docs" / "parity.md").write_text(text)


if __name__ == "__main__":
    main()
