"""Text over moving pictures with known first and last frames: our errors beside rapidocr's.

usage: python bench/text/run.py [--side 640] [--fps 2] [--keep FOLDER] [--json FILE]
Needs rapidocr, onnxruntime, opencv-python-headless, Pillow, the ffmpeg program and the fonts DejaVu and Noto CJK.
Prints the character error rate of single frames (ours, rapidocr's), of the tracks, the boundary errors in frames,
the number of tracks and the time a sample takes.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[2]
LATIN = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
SERIF = "/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf"
CJK = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
WIDTH, HEIGHT, RATE = 1280, 720, 25

SUBTITLES = [
    ("en", ["Where have you been all day long?", "I told you I would be late today.", "The train leaves at half past nine.",
            "Then we had better hurry up.", "She never wrote a single letter."]),
    ("de", ["Größere Übungen für ältere Schüler", "Das Mädchen läuft über die Brücke.", "Wir müssen spätestens um acht dort sein.",
            "Können Sie mir bitte helfen?", "Heute ist die Straße gesperrt."]),
    ("zh", ["我们明天早上八点出发去北京", "你为什么没有告诉我真相", "这个问题其实非常简单", "他已经在这里等了三个小时",
            "请把门关上然后坐下来"]),
]


class Caption:
    def __init__(self, text, first, end, position, font, size, anchor="mt", fade=0, language="en"):
        self.text, self.first, self.end, self.position = text, first, end, position
        self.fade, self.language = fade, language
        self.layer = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
        ImageDraw.Draw(self.layer).text(position, text, font=ImageFont.truetype(font, size), fill=(255, 255, 255, 255),
                                        anchor=anchor, stroke_width=max(1, size // 16), stroke_fill=(0, 0, 0, 255))
        self.box = self.layer.getbbox()
        self.layer = np.asarray(self.layer.crop(self.box)).astype(np.float32)

    def strength(self, frame):
        if not self.first <= frame < self.end:
            return 0.0
        if self.fade == 0:
            return 1.0
        return min(1.0, (frame - self.first + 1) / self.fade, (self.end - frame) / self.fade)

    def draw(self, picture, frame):
        alpha = self.layer[:, :, 3:] / 255 * self.strength(frame)
        x0, y0, x1, y1 = self.box
        area = picture[y0:y1, x0:x1]
        area[:] = area * (1 - alpha) + self.layer[:, :, :3] * alpha


def captions():
    """Subtitles with gaps and without, two lines that differ by a digit, signs, a caption that stays."""
    random = np.random.default_rng(7)
    result, frame = [], 9
    for language, lines in SUBTITLES:
        font, size = (CJK, 44) if language == "zh" else (LATIN, 38)
        for i, text in enumerate(lines):
            end = frame + int(random.integers(28, 62))
            result.append(Caption(text, frame, end, (640, 630), font, size, language=language))
            frame = end + (0 if i % 2 == 0 else int(random.integers(6, 30)))
    result.append(Caption("Round 1 of 3", frame + 5, frame + 48, (640, 630), LATIN, 38))
    result.append(Caption("Round 2 of 3", frame + 48, frame + 93, (640, 630), LATIN, 38))
    frame += 100
    result.append(Caption("EXIT 27", 31, 333, (90, 80), SERIF, 34, anchor="lt"))
    result.append(Caption("Bahnhofstraße", 120, 480, (860, 110), LATIN, 30, anchor="lt", language="de"))
    result.append(Caption("出口 东京塔", 205, 520, (130, 330), CJK, 40, anchor="lt", language="zh"))
    return result, frame


def backgrounds(count):
    """Coarse and fine noise that pans and drifts in brightness, with a hard cut every 90 frames."""
    random = np.random.default_rng(3)
    for scene in range(0, count, 90):
        coarse = random.integers(20, 220, (14, 30, 3)).astype(np.uint8)
        canvas = np.asarray(Image.fromarray(coarse).resize((WIDTH + 300, HEIGHT + 60), Image.BICUBIC)).astype(np.float32)
        canvas = canvas + np.asarray(Image.fromarray(random.integers(0, 255, (90, 190), np.uint8)).resize(
            (WIDTH + 300, HEIGHT + 60), Image.BILINEAR)).astype(np.float32)[:, :, None] * 0.25 - 32
        for i in range(min(90, count - scene)):
            x, y = 3 * i, (i * 2) // 3
            yield np.clip(canvas[y:y + HEIGHT, x:x + WIDTH] + 10 * np.sin(i / 9), 0, 255)


def render(path, drawn, count):
    encoder = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE),
         "-i", "-", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", str(path)],
        stdin=subprocess.PIPE)
    for index, picture in enumerate(backgrounds(count)):
        for caption in drawn:
            if caption.strength(index) > 0:
                caption.draw(picture, index)
        encoder.stdin.write(picture.astype(np.uint8).tobytes())
    encoder.stdin.close()
    if encoder.wait() != 0:
        raise SystemExit("ffmpeg could not encode the clip")


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(diagonal + (x != y), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def error_rate(pages):
    """pages: (expected lines, found lines). Each expected line is held against the nearest line found."""
    wrong = total = 0
    for expected, found in pages:
        for line in expected:
            key = line.replace(" ", "")
            wrong += min([distance(key, other.replace(" ", "")) for other in found] + [len(key)])
            total += len(key)
    return 100 * wrong / total


def rapidocr_pages(path, frames):
    import cv2
    from rapidocr import RapidOCR
    engine = RapidOCR(params={"Global.log_level": "error"})
    video, pages, index = cv2.VideoCapture(str(path)), {}, 0
    while True:
        good, picture = video.read()
        if not good:
            return pages
        if index in frames:
            result = engine(picture)
            pages[index] = list(result.txts or [])
        index += 1


def match(drawn, tracks):
    """The track of each caption: the one of the nearest text that overlaps it in time."""
    matched = {}
    for caption in drawn:
        best, best_distance = None, len(caption.text)
        for track in tracks:
            if track["start"] >= caption.end or track["end"] <= caption.first:
                continue
            d = distance(caption.text.replace(" ", ""), track["text"].replace(" ", ""))
            if d < best_distance:
                best, best_distance = track, d
        matched[caption] = best
    return matched


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--fps", type=float, default=2)
    parser.add_argument("--keep")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--no-rapidocr", action="store_true")
    options = parser.parse_args()
    folder = pathlib.Path(options.keep or tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / "text.mp4"
    drawn, count = captions()
    if not clip.exists():
        render(clip, drawn, count)
    frames = sorted({(c.first + c.end) // 2 for c in drawn})
    environment = {**os.environ, "PRISMVID_MODELS": os.environ.get("PRISMVID_MODELS", str(ROOT / "build/models"))}
    ours = json.loads(subprocess.run([ROOT / "build/release/text_tracks", clip, str(options.fps), str(options.side),
                                      *map(str, frames)], check=True, capture_output=True, env=environment).stdout)
    tracks = [{**t, "start": round(t["start_us"] * RATE / 1e6), "end": round(t["end_us"] * RATE / 1e6)} for t in ours["tracks"]]

    expected = {f: [c for c in drawn if c.strength(f) > 0] for f in frames}
    pages = {"PrismVid": {f: [l["text"] for l in ours["frames"].get(str(f), [])] for f in frames}}
    if not options.no_rapidocr:
        pages["rapidocr"] = rapidocr_pages(clip, set(frames))
    print(f"character errors on {len(frames)} single frames (spaces aside), %")
    print(f"{'':10} {'all':>6} {'en':>6} {'de':>6} {'zh':>6}")
    all_rates = {}
    for name, found in pages.items():
        rates = all_rates[name] = [error_rate([([c.text for c in expected[f] if language in ('', c.language)], found.get(f, [])) for f in frames])
                 for language in ("", "en", "de", "zh")]
        print(f"{name:10} " + " ".join(f"{rate:6.2f}" for rate in rates))

    matched = match(drawn, tracks)
    errors = []
    for caption, track in matched.items():
        if track is None:
            print(f"  missed: {caption.text}")
            continue
        error = (track["start"] - caption.first, track["end"] - caption.end)
        errors += error
        if error != (0, 0) or track["text"].replace(" ", "") != caption.text.replace(" ", ""):
            print(f"  {caption.first:4}..{caption.end:4} {caption.text} -> {track['start']:4}..{track['end']:4} {track['text']} "
                  f"({track['role']})")
    for track in tracks:
        if not any(track is other for other in matched.values()):
            print(f"  extra: {track['start']:4}..{track['end']:4} {track['text']} ({track['confidence']:.2f}, {track['role']})")
    text_error = error_rate([([c.text], [t["text"]] if t else []) for c, t in matched.items()])
    exact = sum(e == 0 for e in errors)
    print(f"tracks {len(tracks)} for {len(drawn)} captions, character errors {text_error:.2f} %, "
          f"boundaries exact {exact} of {2 * len(drawn)}, largest error {max(map(abs, errors), default=0)} frames")
    times = sorted(ours["sample_ms"][1:])
    if options.json:
        options.json.write_text(json.dumps({
            "captions": len(drawn), "frames": len(frames), "frame_errors": all_rates, "track_errors": text_error,
            "boundaries_exact": exact, "boundaries": 2 * len(drawn), "tracks": len(tracks)}, indent=1) + "\n")
    print(f"samples {ours['samples']}, looked for text in {ours['detections']}, lines read {ours['recognitions']}; a sample: median "
          f"{statistics.median(times):.0f} ms, p95 {times[int(len(times) * 0.95)]:.0f} ms, sum {sum(times) / 1e3:.1f} s")


main()
