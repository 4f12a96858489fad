#!/usr/bin/env python3
"""What one analysed 720p frame with 3 faces and 6 lines of text costs: writes build/bench/frame.json.

Each stage's time a sample on frames of a clip in which a subtitle of two lines changes every 3 s and the shot every
6 s, and the cost of decoding. Needs build/release/frame_bench and ffmpeg.
"""
import json
import os
import pathlib
import subprocess

import clips

clip = clips.half_minute(1280, 720, 25, "5M")
load = os.getloadavg()[0]
result = json.loads(subprocess.run([clips.ROOT / "build/release/frame_bench", clip], check=True, stdout=subprocess.PIPE).stdout)
result["load_before"] = load
pathlib.Path(clips.ROOT / "build/bench/frame.json").write_text(json.dumps(result, indent=1) + "\n")
