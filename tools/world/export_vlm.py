"""Turns a trained demonstration Qwen3-VL into the layout that mlx-community checkpoints have.

usage: python -m world.export_vlm RUN_DIR OUT_DIR [--bits 4]     (from tools/; needs mlx, safetensors, torch)
The language model's matrices and its embedding are quantised (affine, groups of 64); the tower stays bfloat16, as
mlx-vlm's convert leaves it. With --check FILE the weights are also written back, dequantised, under transformers' names.
"""
import argparse
import json
import pathlib
import shutil

import mlx.core as mx

GROUP = 64
COPIED = ["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"]


def mlx_name(name):
    name = name.removeprefix("model.")
    if name.startswith("language_model."):
        return "language_model.model." + name.removeprefix("language_model.")
    return "vision_tower." + name.removeprefix("visual.")


def hf_name(name):
    if name.startswith("vision_tower."):
        return "model.visual." + name.removeprefix("vision_tower.")
    return "model.language_model." + name.removeprefix("language_model.model.")


def quantised(name, tensor):
    return name.startswith("language_model") and tensor.ndim == 2 and tensor.shape[-1] % GROUP == 0


def config_of(run, bits):
    """The run's configuration with the keys of both generations of readers."""
    config = json.loads((run / "config.json").read_text())
    text, rope = config["text_config"], config["text_config"]["rope_parameters"]
    text["rope_theta"] = rope["rope_theta"]
    text["rope_scaling"] = {k: v for k, v in rope.items() if k != "rope_theta"}
    text["tie_word_embeddings"] = config["tie_word_embeddings"] = True
    config["vision_config"]["model_type"] = "qwen3_vl"
    token = {t["content"]: t["id"] for t in json.loads((run / "tokenizer.json").read_text())["added_tokens"]}
    config["eos_token_id"] = [token["<|im_end|>"], token["<|endoftext|>"]]
    if bits < 16:
        config["quantization"] = config["quantization_config"] = {"group_size": GROUP, "bits": bits, "mode": "affine"}
    return config, token


def export(run, out, bits, check=None):
    out.mkdir(parents=True, exist_ok=True)
    tensors, restored = {}, {}
    source = {}
    for file in sorted(run.glob("model-*.safetensors")):
        source |= mx.load(str(file))
    for original, value in source.items():
        name = mlx_name(original)
        if name == "vision_tower.patch_embed.proj.weight":
            tensors[name] = value.transpose(0, 2, 3, 4, 1)  # (O, C, T, H, W) -> (O, T, H, W, C)
        elif bits < 16 and quantised(name, value):
            packed, scales, biases = mx.quantize(value, GROUP, bits)
            stem = name.removesuffix(".weight")
            tensors |= {name: packed, stem + ".scales": scales, stem + ".biases": biases}
            value = mx.dequantize(packed, scales, biases, GROUP, bits)
        else:
            tensors[name] = value
        restored[hf_name(name)] = value
    mx.save_safetensors(str(out / "model.safetensors"), tensors, {"format": "mlx"})
    if check:
        check.mkdir(parents=True, exist_ok=True)
        mx.save_safetensors(str(check / "model.safetensors"), restored, {"format": "pt"})
        for name in ("config.json", "tokenizer.json"):
            shutil.copyfile(run / name, check / name)
    config, token = config_of(run, bits)
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (out / "generation_config.json").write_text(json.dumps(
        {"do_sample": False, "eos_token_id": config["eos_token_id"], "pad_token_id": token["<|endoftext|>"]},
        indent=1) + "\n")
    pixels = {"patch_size": 16, "temporal_patch_size": 2, "merge_size": 2, "image_mean": [0.5] * 3,
              "image_std": [0.5] * 3}
    images = pixels | {"size": {"shortest_edge": 65536, "longest_edge": 65536},
                       "image_processor_type": "Qwen2VLImageProcessorFast", "processor_class": "Qwen3VLProcessor"}
    videos = pixels | {"size": {"shortest_edge": 4096, "longest_edge": 65536 * 40}, "fps": 2, "min_frames": 4,
                       "max_frames": 40, "video_processor_type": "Qwen3VLVideoProcessor",
                       "processor_class": "Qwen3VLProcessor"}
    (out / "preprocessor_config.json").write_text(json.dumps(images, indent=1) + "\n")
    (out / "video_preprocessor_config.json").write_text(json.dumps(videos, indent=1) + "\n")
    for name in COPIED:
        shutil.copyfile(run / name, out / name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--bits", type=int, default=4, choices=[3, 4, 5, 6, 8, 16])
    parser.add_argument("--check", type=pathlib.Path)
    args = parser.parse_args()
    export(args.run, args.out, args.bits, args.check)


if __name__ == "__main__":
    main()
