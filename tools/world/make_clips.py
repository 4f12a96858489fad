"""Renders clips of the world to video files, each with its truth beside it as JSON.

usage: python -m world.make_clips OUT_DIR --seeds 0-9 [--size 640x360] [--fps 25]     (from tools/; needs ffmpeg)
       python -m world.make_clips --demo OUT.mp4                                      (the bundled demonstration clip)
"""
import argparse
import json
import pathlib
import random
import subprocess

from . import language
from .drawing import text_box
from .questions import Facts, question
from .script import write_clip

DEMO = dict(seed=2015, story="chase", scenes=4, text_chance=1.0)


def render(clip, path, width, height, fps, quality=20):
    """Writes H.264 with every frame at k / fps; returns the number of frames."""
    count = round(clip.duration * fps)
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
               "-r", str(fps), "-i", "-", "-c:v", "libx264", "-preset", "slow", "-crf", str(quality), "-pix_fmt",
               "yuv420p", "-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709", "-color_primaries", "bt709",
               "-color_trc", "bt709", "-movflags", "+faststart", "-threads", "1", str(path)]
    encoder = subprocess.Popen(command, stdin=subprocess.PIPE)
    for k in range(count):
        encoder.stdin.write(clip.frame(k / fps, width, height).tobytes())
    encoder.stdin.close()
    if encoder.wait():
        raise SystemExit(f"ffmpeg failed on {path}")
    return count


def truth(clip, width, height, fps, count, questions=12):
    """Everything there is to know about a rendered clip."""
    tracks = {}
    for k in range(count):
        for name, box in clip.boxes(k / fps):
            tracks.setdefault(name, []).append([k] + [round(v, 4) for v in box])
    facts, rng = Facts(clip), random.Random(clip.seed)
    asked = [question(facts, rng) for _ in range(questions)]
    return {
        "seed": clip.seed, "width": width, "height": height, "fps": fps, "frames": count, "duration": count / fps,
        "scenes": [{"start": s.start, "end": s.end, "background": f"{s.pattern} {s.ground}", "opening": s.opening}
                   for s in clip.scenes],
        "transitions": [{"kind": "dissolve" if d else "cut", "start": s.start - d / 2, "end": s.start + d / 2}
                        for s, d in zip(clip.scenes[1:], clip.transitions)],
        "texts": [{"text": t.words, "start": t.start, "end": t.end,
                   "box": [round(v / u, 4) for v, u in zip(text_box(t.words, t.x, t.y, t.size), (320, 180) * 2)]}
                  for t in clip.texts],
        "events": [{k: v for k, v in vars(e).items() if v != ""} for e in clip.events],
        "captions": language.captions(clip), **language.chapters(clip), "summary": language.summary(clip),
        "story": language.story(clip), **language.highlights(clip),
        "questions": [{"topic": q.topic, "question": q.text} | q.reply() for q in asked],
        "tracks": {"note": "by name: [frame, x0, y0, x1, y1], 0..1 of the picture, visible parts only"} | tracks,
    }


def write(clip, path, size, fps):
    width, height = size
    count = render(clip, path, width, height, fps)
    facts = truth(clip, width, height, fps, count)
    tracks = facts.pop("tracks")
    text = json.dumps(facts, indent=1)[:-2] + ',\n "tracks": ' + json.dumps(tracks, separators=(",", ":")) + "\n}\n"
    path.with_suffix(".truth.json").write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--demo", action="store_true", help="OUT is the demonstration clip's file")
    parser.add_argument("--seeds", default="0-9")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--fps", type=int, default=25)
    args = parser.parse_args()
    size = tuple(int(v) for v in args.size.split("x"))
    if args.demo:
        return write(write_clip(**DEMO), args.out, size, args.fps)
    args.out.mkdir(parents=True, exist_ok=True)
    first, last = (int(v) for v in args.seeds.split("-"))
    for seed in range(first, last + 1):
        write(write_clip(seed), args.out / f"clip_{seed:06d}.mp4", size, args.fps)


if __name__ == "__main__":
    main()
