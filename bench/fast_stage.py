#!/usr/bin/env python3
"""The whole fast stage beside PySceneDetect on one file and machine: writes build/bench/fast_stage.json.

usage: fast_stage.py [--minutes 10] [--scenedetect PROGRAM] [--skip-detector] [--skip-memory]
1080p30 H.264 at 10 Mbit/s with cuts, faces, signs and subtitles (clips.py); and for memory two smaller files, 10 minutes and
2 hours long, in which faces are still found.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import clips

PROGRAM = clips.ROOT / "build/release/prismvid"
DETECTOR = ("--detector", "demo-world-detector")
DATABASE = clips.ROOT / "build/bench/fast_stage.db"


def measured(command):
    """Wall and CPU seconds and peak memory of a command, and what it printed."""
    start = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} ended with status {status}")
    kilobyte = 1 if platform.system() == "Linux" else 1 / 1024  # macOS counts bytes
    return {"wall_s": time.monotonic() - start, "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_mb": usage.ru_maxrss * kilobyte / 1024, "out": out.decode()}


def analyze(clip, *more):
    return measured([PROGRAM, "analyze", clip, "--db", DATABASE, "--format", "json", "-q", *more])


def analyze_anew(clip, *more):
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(str(DATABASE) + suffix).unlink(missing_ok=True)
    return analyze(clip, *more)


def compare(minutes, scenedetect, with_detector):
    clip = clips.repeated(clips.half_minute(1920, 1080, 30, "10M"), round(minutes * 2))
    load = os.getloadavg()[0]
    ours = analyze_anew(clip)
    second = [analyze(clip) for _ in range(5)]
    peer = measured([scenedetect, "-q", "-i", clip, "detect-adaptive"])
    stages = json.loads(ours["out"])["analysis"]["stages"]
    again = json.loads(second[0]["out"])["analysis"]["stages"]
    detector = {"with_detector_s": analyze_anew(clip, *DETECTOR)["wall_s"]} if with_detector else {}
    return detector | {
        "load_before": load, "minutes": minutes, "prismvid_s": ours["wall_s"], "prismvid_cpu_s": ours["cpu_s"], "peak_mb": ours["peak_mb"],
        "pyscenedetect_s": peer["wall_s"], "pyscenedetect_cpu_s": peer["cpu_s"],
        "ratio": ours["wall_s"] / peer["wall_s"], "times_realtime": 60 * minutes / ours["wall_s"],
        "second_run_s": statistics.median(s["wall_s"] for s in second),
        "second_run_decoded": sum(s["status"] == "done" for s in again),
        "stages": {s["name"]: {"status": s["status"], "wall_ms": s.get("wall_ms"), **s.get("ms_per_frame", {})} for s in stages},
    }


def memory():
    """Peak memory at two lengths of one content; fewer samples a second, since only the length matters here."""
    piece = clips.half_minute(640, 360, 25, "1M")
    return {f"peak_mb_{minutes}min": analyze_anew(clips.repeated(piece, 2 * minutes), "--fps", "0.5", *DETECTOR)["peak_mb"]
            for minutes in (10, 120)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--scenedetect", default="scenedetect")
    parser.add_argument("--skip-detector", action="store_true", help="do not run it all again with an object detector")
    parser.add_argument("--skip-memory", action="store_true")
    arguments = parser.parse_args()
    result = compare(arguments.minutes, arguments.scenedetect, not arguments.skip_detector)
    if not arguments.skip_memory:
        result |= memory()
    (clips.ROOT / "build/bench/fast_stage.json").write_text(json.dumps(result, indent=1) + "\n")


main()
