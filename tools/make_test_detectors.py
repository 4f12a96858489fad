"""Writes the tiny object detectors of tests/vision/objects/data: graphs without trained weights that have the inputs
and outputs of the published exports and find coloured squares, so that every step around a network can be checked.

usage: python make_test_detectors.py OUT_DIR      (needs the package onnx; the files are committed)

Signatures, as the upstream projects export them:
  YOLOX (tools/export_onnx.py)              images -> output 1 x cells x (5 + classes), raw or with decode_in_inference
  RT-DETR, D-FINE (tools/export_onnx.py)    images, orig_target_sizes (int64) -> labels (int64), boxes, scores; batch N
  the same two on the Hugging Face hub      pixel_values -> logits, pred_boxes; batch varies
"""
import pathlib
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

SIDE, CLASSES = 64, 3
STRIDES = (8, 16, 32)
GRID = 4  # queries of the DETR graphs: one for each cell of a 4 x 4 grid


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, operator, *inputs, output=None, **attributes):
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value, dtype=np.float32):
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def write(self, path, inputs, outputs):
        info = lambda name, kind, shape: helper.make_tensor_value_info(name, kind, shape)
        graph = helper.make_graph(self.nodes, path.stem, [info(*i) for i in inputs], [info(*o) for o in outputs],
                                  self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
        checker.check_model(model)
        save(model, path)


def cell_rows(graph, image, stride, scale):
    """Mean of each channel of each cell in 0..1, as 1 x cells x 3."""
    pooled = graph.add("AveragePool", image, kernel_shape=[stride, stride], strides=[stride, stride])
    flat = graph.add("Reshape", pooled, graph.constant([0, CLASSES, -1], np.int64))
    rows = graph.add("Transpose", flat, perm=[0, 2, 1])
    return graph.add("Mul", rows, graph.constant(scale))


def yolox(path, decoded):
    """A cell's objectness is its brightest channel, its class scores are its channels (in the order of the input),
    its box is two cells wide and high around the cell's centre."""
    graph, rows = Graph(), []
    for stride in STRIDES:
        count = SIDE // stride
        scores = cell_rows(graph, "images", stride, 1 / 255)
        objectness = graph.add("ReduceMax", scores, axes=[2], keepdims=1)
        if stride != STRIDES[0]:  # one level finds things, the others stay silent
            objectness = graph.add("Mul", objectness, graph.constant(0.0))
        box = np.tile(np.array([0.5, 0.5, np.log(2), np.log(2)], np.float32), (1, count * count, 1))
        if decoded:
            y, x = np.mgrid[:count, :count]
            box[0, :, 0] = (box[0, :, 0] + x.ravel()) * stride
            box[0, :, 1] = (box[0, :, 1] + y.ravel()) * stride
            box[..., 2:] = np.exp(box[..., 2:]) * stride
        rows.append(graph.add("Concat", graph.constant(box), objectness, scores, axis=2))
    graph.add("Concat", *rows, axis=1, output="output")
    cells = sum((SIDE // stride) ** 2 for stride in STRIDES)
    graph.write(path, [("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
                [("output", TensorProto.FLOAT, [1, cells, 5 + CLASSES])])


def grid_boxes():
    """Centre x, centre y, width, height of each grid cell in 0..1."""
    y, x = np.mgrid[:GRID, :GRID]
    side = np.full(GRID * GRID, 1 / GRID)
    return np.stack([(x.ravel() + 0.5) / GRID, (y.ravel() + 0.5) / GRID, side, side], 1)[None].astype(np.float32)


def detr_boxes(path):
    """A query's score is its cell's brightest channel, its label that channel; corners times orig_target_sizes."""
    graph = Graph()
    means = cell_rows(graph, "images", SIDE // GRID, 1.0)
    graph.add("ReduceMax", means, axes=[2], keepdims=0, output="scores")
    graph.add("ArgMax", means, axis=2, keepdims=0, output="labels")
    centre, size = grid_boxes()[..., :2], grid_boxes()[..., 2:]
    corners = graph.constant(np.concatenate([centre - size / 2, centre + size / 2], 2))
    sizes = graph.add("Cast", "orig_target_sizes", to=TensorProto.FLOAT)
    sizes = graph.add("Unsqueeze", graph.add("Concat", sizes, sizes, axis=1), graph.constant([1], np.int64))
    graph.add("Mul", corners, sizes, output="boxes")
    queries = GRID * GRID
    graph.write(path, [("images", TensorProto.FLOAT, ["N", 3, SIDE, SIDE]),
                       ("orig_target_sizes", TensorProto.INT64, ["N", 2])],
                [("labels", TensorProto.INT64, ["N", queries]), ("boxes", TensorProto.FLOAT, ["N", queries, 4]),
                 ("scores", TensorProto.FLOAT, ["N", queries])])


def detr_logits(path):
    """A query's logits are 20 (channel mean - 0.5); its box is its cell."""
    graph = Graph()
    means = cell_rows(graph, "pixel_values", SIDE // GRID, 1.0)
    graph.add("Mul", graph.add("Sub", means, graph.constant(0.5)), graph.constant(20.0), output="logits")
    zero = graph.add("Mul", graph.add("ReduceSum", means, graph.constant([2], np.int64), keepdims=1),
                     graph.constant(0.0))
    graph.add("Add", zero, graph.constant(grid_boxes()), output="pred_boxes")
    queries = GRID * GRID
    graph.write(path, [("pixel_values", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
                [("logits", TensorProto.FLOAT, ["batch", queries, CLASSES]),
                 ("pred_boxes", TensorProto.FLOAT, ["batch", queries, 4])])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    yolox(folder / "yolox_raw.onnx", decoded=False)
    yolox(folder / "yolox_decoded.onnx", decoded=True)
    detr_boxes(folder / "detr_boxes.onnx")
    detr_logits(folder / "detr_logits.onnx")


main()
