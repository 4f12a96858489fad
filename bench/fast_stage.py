#!/usr/bin/env python3
"""Times the whole fast stage beside PySceneDetect on the same file and machine, and writes build/bench/fast_stage.json.

usage: fast_stage.py [--minutes 10] [--program build/release/prismvid] [--portrait FILE]
Makes its clips with ffmpeg: 1080p30 H.264 at 10 Mbit/s, moving pictures with cuts, signs and subtitles; and two long
low-resolution ones for memory.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLIPS = ROOT / "build/bench/clips"
SCENES = ["mandelbrot=size=1920x1080:rate=30", "testsrc2=size=1920x1080:rate=30", "gradients=size=1920x1080:rate=30:speed=0.05",
          "life=size=480x270:rate=30:mold=10:ratio=0.1:death_color=#C83232:life_color=#00ff00,scale=1920x1080",
          "cellauto=size=480x270:rate=30:rule=110,scale=1920x1080"]


def run(command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def half_minute(path, portrait):
    """30 s with a cut every 6 s, film grain, a subtitle of two lines that changes every 3 s and four signs."""
    if path.exists():
        return path
    inputs, parts = [], []
    for i, scene in enumerate(SCENES):
        inputs += ["-f", "lavfi", "-t", "6", "-i", scene]
        parts.append(f"[{i}]format=yuv420p,setsar=1[s{i}];")
    texts = "".join(
        f",drawtext=font=DejaVu Sans:text='Subtitle number {i} of the film':fontsize=48:fontcolor=white:borderw=3:x=(w-tw)/2:y=h-150:enable='between(t,{3*i},{3*i+2.8})'"
        f",drawtext=font=DejaVu Sans:text='and its second line {i * 37}':fontsize=48:fontcolor=white:borderw=3:x=(w-tw)/2:y=h-90:enable='between(t,{3*i},{3*i+2.8})'"
        for i in range(10))
    signs = "".join(f",drawtext=font=DejaVu Sans:text='{text}':fontsize=44:fontcolor=yellow:box=1:boxcolor=black:x={x}:y={y}"
                    for text, x, y in [("CHANNEL 7", 80, 60), ("LIVE", 1700, 60), ("Main Street 12", 300, 300), ("EXIT", 1500, 500)])
    graph = "".join(parts) + "".join(f"[s{i}]" for i in range(len(SCENES))) + f"concat=n={len(SCENES)}[v];[v]noise=alls=8:allf=t{texts}{signs}[t]"
    last = "[t]"
    if portrait:
        inputs += ["-loop", "1", "-t", "30", "-i", portrait]
        graph += f";[{len(SCENES)}]scale=-2:420,split=3[p1][p2][p3];[t][p1]overlay=x='200+100*sin(t)':y=420[o1];[o1][p2]overlay=x='800+60*cos(t)':y=380[o2];[o2][p3]overlay=x='1300+80*sin(2*t)':y=450[o3]"
        last = "[o3]"
    run(["ffmpeg", "-y", *inputs, "-filter_complex", graph, "-map", last, "-t", "30", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "10M",
         "-maxrate", "12M", "-bufsize", "20M", "-g", "60", "-pix_fmt", "yuv420p", str(path)])
    return path


def repeated(path, piece, count):
    if not path.exists():
        listing = path.with_suffix(".txt")
        listing.write_text(f"file '{piece}'\n" * count)
        run(["ffmpeg", "-y", "-f", "concat", "-safe", "0", "-i", str(listing), "-c", "copy", str(path)])
    return path


def small_piece(path):
    if not path.exists():
        run(["ffmpeg", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "60", "-c:v", "libx264", "-preset", "veryfast",
             "-pix_fmt", "yuv420p", "-g", "50", str(path)])
    return path


def measured(command):
    """Wall seconds, CPU seconds and peak memory (MB) of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    result = subprocess.run(["/usr/bin/time", "-f", "%M", *command] if shutil.which("/usr/bin/time") else command,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        sys.exit(f"{command[0]} failed: {result.stderr.decode()[-2000:]}")
    memory = result.stderr.decode().strip().splitlines()[-1] if shutil.which("/usr/bin/time") else "0"
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": wall, "cpu_s": cpu, "peak_mb": int(memory) / 1024, "out": result.stdout.decode()}


def analyze(program, clip, database, *more):
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(str(database) + suffix).unlink(missing_ok=True)
    return measured([program, "analyze", str(clip), "--db", str(database), "--format", "json", "-q", *more])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--program", default=str(ROOT / "build/release/prismvid"))
    parser.add_argument("--portrait", default="")
    parser.add_argument("--scenedetect", default=str(ROOT / ".venv/bin/scenedetect"))
    parser.add_argument("--skip-memory", action="store_true")
    arguments = parser.parse_args()
    CLIPS.mkdir(parents=True, exist_ok=True)
    piece = half_minute(CLIPS / "half_minute.mp4", arguments.portrait)
    clip = repeated(CLIPS / f"{arguments.minutes:g}min.mp4", piece, int(arguments.minutes * 2))
    seconds = arguments.minutes * 60
    database = ROOT / "build/bench/fast_stage.db"
    result = {"cpu": cpu_name(), "minutes": arguments.minutes}

    ours = analyze(arguments.program, clip, database)
    second = [measured([arguments.program, "analyze", str(clip), "--db", str(database), "--format", "json", "-q"]) for _ in range(5)]
    peer = measured([arguments.scenedetect, "-q", "-i", str(clip), "detect-adaptive"])
    document = json.loads(ours["out"])
    result |= {
        "prismvid_s": ours["wall_s"], "prismvid_cpu_s": ours["cpu_s"], "peak_mb": ours["peak_mb"],
        "pyscenedetect_s": peer["wall_s"], "pyscenedetect_cpu_s": peer["cpu_s"],
        "ratio": ours["wall_s"] / peer["wall_s"], "times_realtime": seconds / ours["wall_s"],
        "second_run_s": statistics.median(s["wall_s"] for s in second),
        "stages": {s["name"]: {"status": s["status"], "wall_ms": s.get("wall_ms"), "frames": s.get("frames"), **s.get("ms_per_frame", {})}
                   for s in document["analysis"]["stages"]},
    }
    if not arguments.skip_memory:
        piece = small_piece(CLIPS / "small_minute.mp4")
        for minutes in (10, 120):
            long_clip = repeated(CLIPS / f"small_{minutes}min.mp4", piece, minutes)
            result[f"peak_mb_{minutes}min"] = analyze(arguments.program, long_clip, database)["peak_mb"]
    out = ROOT / "build/bench/fast_stage.json"
    out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def cpu_name():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return f"{line.split(':')[1].strip()}, {os.cpu_count()} cores"
    return "unknown"


main()
