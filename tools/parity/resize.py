"""Hashes of pictures resized by Pillow."""

import hashlib

import numpy as np
from PIL import Image

SIZES = [(64, 96, 64, 96), (70, 90, 64, 96), (33, 47, 256, 288), (640, 360, 224, 128), (1921, 1081, 608, 352),
         (200, 3, 320, 32), (5, 5, 128, 96), (1000, 64, 32, 64), (64, 1000, 64, 32), (1, 1, 32, 32)]


def picture(width, height, number):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((x * 7 + y * 13 + c * 40 + number * 31 + (x * y) % 17 * 5) % 256).astype(np.uint8)


def goldens():
    lines = []
    for width, height, to_width, to_height in SIZES:
        resized = Image.fromarray(picture(width, height, 3)).resize((to_width, to_height), Image.BICUBIC)
        digest = hashlib.sha256(resized.tobytes()).hexdigest()
        lines.append(f'{{{width}, {height}, {to_width}, {to_height},\n "{digest}"}},\n')
    return "".join(lines)
