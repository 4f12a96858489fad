"""Compares the tokenizer with the `tokenizers` package on generated strings.

    python -m parity.compare_tokenizer build/release/tokenize_lines [--tiktoken qwen.tiktoken] [--count 100000]

Without --tiktoken the small trained vocabulary is used. Prints the number of strings that differ.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

from . import tokenizers_of_qwen as qwen
from .strings import corpus, strings


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--tiktoken")
    parser.add_argument("--count", type=int, default=100_000)
    arguments = parser.parse_args()
    tokenizer = qwen.from_tiktoken(arguments.tiktoken) if arguments.tiktoken else qwen.small(corpus())
    texts = strings(arguments.count)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(str(Path(folder, "tokenizer.json")))
        Path(folder, "strings.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
        output = subprocess.run([arguments.binary, folder, str(Path(folder, "strings.json"))], check=True,
                                capture_output=True).stdout
    ours = json.loads(output)
    theirs = [e.ids for e in qwen.plain(tokenizer).encode_batch(texts, add_special_tokens=False)]
    different = [i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    for i in different[:10]:
        print(ascii(texts[i]), ours[i], theirs[i])
    print(f"{len(texts)} strings, vocabulary {tokenizer.get_vocab_size()}, {sum(map(len, theirs))} tokens, "
          f"{len(different)} strings differ")
    raise SystemExit(bool(different))


if __name__ == "__main__":
    main()
