"""Quantises the tiny checkpoints with mlx-vlm and keeps hashes of the tensors and the logits."""

import hashlib
import importlib
import json

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten
from mlx_vlm.quant_utils import quantize_model
from mlx_vlm.utils import skip_multimodal_module
from safetensors.numpy import load_file, save_file

FORMS = [("dense_tied", 2, 32), ("dense_tied", 3, 64), ("dense_untied", 3, 32), ("dense_untied", 4, 64),
         ("dense_tied", 5, 64), ("dense_untied", 6, 64), ("dense_untied", 8, 32), ("moe", 4, 32), ("moe", 8, 32),
         ("dense_tied", 4, 128), ("dense_tied", 4, 32, "mxfp4"), ("dense_untied", 8, 32, "mxfp8"), ("dense_untied", 4, 16, "nvfp4"),
         ("moe", 4, 32, "mxfp4"), ("moe", 4, 16, "nvfp4")]
# Paths with settings of their own, the vision tower's too; what is not named stays plain.
MIXED = {
    "language_model.model.embed_tokens": (6, 64, "affine"), "language_model.lm_head": (8, 32, "affine"),
    "language_model.model.layers.0": (8, 32, "affine"), "language_model.model.layers.1": (3, 64, "affine"),
    "language_model.model.layers.2": (8, 32, "mxfp8"), "language_model.model.layers.3.self_attn": (4, 16, "nvfp4"),
    "vision_tower.blocks": (8, 32, "affine"), "vision_tower.merger": (8, 32, "mxfp8"), "vision_tower.pos_embed": (8, 32, "affine"),
}


GRID = (6, 4)  # of the picture in the goldens' case "image"


def old_config(config):
    """config.json as mlx-vlm 0.7.10 reads it: in the form of transformers 4.57."""
    text = config["text_config"]
    rope = text.pop("rope_parameters")
    text["rope_theta"] = rope.pop("rope_theta")
    text["rope_scaling"] = rope
    if "num_local_experts" in text:
        text["num_experts"] = text["num_local_experts"]
    text["tie_word_embeddings"] = config["tie_word_embeddings"]
    config["vision_config"]["model_type"] = config["model_type"]
    return config


def load(folder):
    config = old_config(json.loads((folder / "config.json").read_text()))
    module = importlib.import_module(f"mlx_vlm.models.{config['model_type']}")
    model_config = module.ModelConfig.from_dict(config)
    model_config.text_config = module.TextConfig.from_dict(config["text_config"])
    model_config.vision_config = module.VisionConfig.from_dict(config["vision_config"])
    model = module.Model(model_config)
    weights = mx.load(str(folder / "model.safetensors"))
    for name in list(weights):
        if ".experts." in name:  # transformers 5 exchanges the last two axes
            weights[name] = weights[name].swapaxes(1, 2)
    weights = model.sanitize(weights)
    weights = model.vision_tower.sanitize(weights)
    if hasattr(model.language_model, "sanitize"):
        weights = model.language_model.sanitize(weights)
    model.load_weights(list(weights.items()))
    return model, config


def digest(array):
    if array.dtype == mx.bfloat16:
        array = array.view(mx.uint16)
    return hashlib.sha256(np.array(array).tobytes()).hexdigest()


def run(folder, bits, group_size, ids, mode="affine"):
    model, config = load(folder)
    own = getattr(model, "quant_predicate", None)  # as mlx_vlm.convert

    def predicate(path, module):
        return False if skip_multimodal_module(path) else own(path, module) if own else True

    model, config = quantize_model(model, config, group_size, bits, mode, quant_predicate=predicate)
    parameters = dict(tree_flatten(model.parameters()))
    hashes = {name: digest(value) for name, value in parameters.items()}
    # In float32, so that rounding of activations does not send tokens to other experts.
    model.apply(lambda value: value.astype(mx.float32) if mx.issubdtype(value.dtype, mx.floating) else value)
    logits = model.language_model(mx.array(ids)[None]).logits[0, -4:]
    return hashes, np.array(logits), config["quantization"]


def run_mixed(folder, ids, pixel_values):
    """Logits behind the picture's prompt, and the settings of each quantised path by its name in the source."""
    model, config = load(folder)

    def predicate(path, module):
        for prefix, (bits, group_size, mode) in MIXED.items():
            if path.startswith(prefix) and hasattr(module, "to_quantized") and module.weight.ndim == 2:
                fits = module.weight.shape[-1] % group_size == 0
                return {"bits": bits, "group_size": group_size, "mode": mode} if fits else False
        return False

    model, config = quantize_model(model, config, 16, 4, "nvfp4", quant_predicate=predicate)
    paths = {}
    for path, entry in config["quantization"].items():
        if isinstance(entry, dict):
            name = path.replace("language_model.model.", "model.language_model.").replace("vision_tower.", "model.visual.")
            paths[name.replace("language_model.lm_head", "lm_head")] = entry
    model.apply(lambda value: value.astype(mx.float32) if mx.issubdtype(value.dtype, mx.floating) else value)
    values = mx.array(pixel_values)
    grid = mx.array([[1, *GRID]])
    logits = model(mx.array(ids)[None], values, image_grid_thw=grid).logits[0, -4:]
    return paths, np.array(logits)


def dump(golden):
    folder = golden / "quantized"
    folder.mkdir(exist_ok=True)
    hashes, tensors = {}, {}
    for kind, bits, group_size, *mode in FORMS:
        ids = load_file(golden / "models" / kind / "golden.bin")["text.ids"]
        name = f"{kind}_{mode[0]}" if mode else f"{kind}_{bits}bit_{group_size}"
        tensor_hashes, tensors[f"{name}.logits"], quantization = run(golden / "models" / kind, bits, group_size, ids, *mode)
        whole = hashlib.sha256("".join(f"{k}:{v}\n" for k, v in sorted(tensor_hashes.items())).encode())
        hashes[name] = {"kind": kind, "bits": bits, "group_size": group_size, "tensors": len(tensor_hashes),
                        "sha256": whole.hexdigest(), "quantization": quantization}
    (folder / "hashes.json").write_text(json.dumps(hashes, indent=1))
    mixed, pixels = {}, load_file(golden / "models" / "dense_tied" / "golden.bin")["image.pixel_values"]
    for kind in ("dense_tied", "dense_untied"):
        ids = load_file(golden / "models" / kind / "golden.bin")["image.ids"]
        mixed[kind], tensors[f"{kind}_mixed.logits"] = run_mixed(golden / "models" / kind, ids, pixels)
    (folder / "mixed.json").write_text(json.dumps(mixed, indent=1))
    save_file(tensors, folder / "golden.bin")
