"""Puts a trained detector where the product finds it: the network, its manifest and its scores.

usage: python -m world.publish_detector RUN_DIR ../assets/models/demo-world-detector     (from tools/)
"""
import json
import pathlib
import shutil
import sys

from prepare_models.common import write_manifest

from .detector import CLASSES, INPUT, STRIDES


def main():
    run, folder = (pathlib.Path(a) for a in sys.argv[1:3])
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run / "detector.onnx", folder / "detector.onnx")
    scores = json.loads((run / "scores.json").read_text())
    (folder / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")
    write_manifest(folder, id="demo-world-detector", task="object_detection", version="1", licence="Apache-2.0",
                   source="PrismVid, trained on its generated world (tools/world)", files=["detector.onnx"],
                   parameters={"decoder": "yolox", "strides": STRIDES,
                               "input": {"width": INPUT, "height": INPUT, "colour": "bgr", "resize": "letterbox",
                                         "pad_value": 114},
                               "score_threshold": 0.1, "nms_overlap": 0.45, "classes": CLASSES})


if __name__ == "__main__":
    main()
