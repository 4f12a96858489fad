"""Makes clips with known shot boundaries: textured moving scenes, cuts, dissolves, fades, and what must not be
taken for them (flashes, strobes, explosions, pans, zooms, fast objects, noise, film grain, light changes).

usage: make_clips.py OUT_DIR SEED      needs numpy, opencv-python-headless and the ffmpeg program
Writes NAME.mkv and NAME.json for each recipe: {"fps", "frames", "cuts": [first frame], "graduals":
[{"start", "end", "kind"}], "distractors": [...]}; [start, end) are the frames in which both shots are mixed.
"""
import json
import math
import pathlib
import subprocess
import sys

import cv2
import numpy as np

WIDTH, HEIGHT = 320, 180


def run_lavfi(source, frames, skip):
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-vf",
               f"trim=start_frame={skip},scale={WIDTH}:{HEIGHT},format=rgb24", "-frames:v", str(frames),
               "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)


def lavfi_shot(rng, frames):
    """Moving test pictures of ffmpeg itself."""
    seed = int(rng.integers(1, 10000))
    # ffmpeg takes colours that are not given at random, whatever the seed.
    colours = "".join(f":c{i}=#{rng.integers(0, 2**24):06x}" for i in range(8))
    sources = [
        f"mandelbrot=s=320x180:start_scale={rng.uniform(0.5, 3):.3f}:end_scale=0.01:end_pts=700:rate=25",
        f"gradients=s=320x180:seed={seed}:speed={rng.uniform(0.005, 0.03):.4f}:n={rng.integers(3, 8)}{colours}:rate=25",
        f"cellauto=s=320x180:rule={rng.choice([18, 110, 30])}:random_seed={seed}:rate=25",
        f"life=s=320x180:mold=10:ratio=0.3:random_seed={seed}:life_color=#{rng.integers(0, 2**24):06x}"
        f":death_color=#{rng.integers(0, 2**24):06x}:rate=25",
        "testsrc2=s=320x180:rate=25",
    ]
    clip = run_lavfi(sources[rng.choice(len(sources), p=[.3, .3, .15, .15, .1])], frames, int(rng.integers(0, 200)))
    return lambda n: clip[min(n, len(clip) - 1)].astype(np.float32)


def fractal_noise(rng, height, width, roughness):
    total = np.zeros((height, width), np.float32)
    size, gain = 3, 1.0
    while size < width:
        layer = rng.standard_normal((max(2, size * height // width + 1), size)).astype(np.float32)
        total += gain * cv2.resize(layer, (width, height), interpolation=cv2.INTER_CUBIC)
        size, gain = size * 2, gain * roughness
    total -= total.min()
    return total / total.max()


def draw_things(rng, picture, colours):
    """Houses, windows, balls and lines, so that there are edges like in photographs."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(3, 25))):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = int(rng.integers(10, width // 4)), int(rng.integers(10, height // 3))
        colour = tuple(float(v) for v in colours[rng.integers(len(colours))])
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, -1)
            for wx in range(x + 4, x + w - 6, 14):
                cv2.rectangle(picture, (wx, y + 5), (wx + 6, y + h // 2), tuple(0.5 * c for c in colour), -1)
        elif kind == 1:
            cv2.ellipse(picture, (x, y), (w // 2, h // 2), float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        elif kind == 2:
            cv2.line(picture, (x, y), (x + int(rng.normal(0, width / 3)), y + int(rng.normal(0, height / 3))), colour,
                     int(rng.integers(1, 8)), cv2.LINE_AA)
        else:
            points = np.array([[x, y], [x + w, y + h // 3], [x + w // 2, y + h]])
            cv2.fillPoly(picture, [points], colour, cv2.LINE_AA)


def place(rng):
    """A large picture of a place, several views wide, and its colours."""
    colours = rng.uniform(0, 255, (6, 3)) * rng.uniform(0.35, 1.0) * rng.uniform(0.5, 1, 3)
    shape = (HEIGHT * 4, WIDTH * 4)
    mixture = fractal_noise(rng, *shape, rng.uniform(0.45, 0.8))[..., None]
    second = fractal_noise(rng, *shape, rng.uniform(0.45, 0.8))[..., None]
    picture = colours[0] * mixture + colours[1] * (1 - mixture) + (colours[2] - 128) * (second - 0.5)
    picture = np.ascontiguousarray(picture, np.float32)
    if rng.random() < 0.85:
        draw_things(rng, picture, colours)
    picture += 25 * (fractal_noise(rng, *shape, 0.9)[..., None] - 0.5)
    return np.clip(picture, 0, 255).astype(np.float32), colours


def camera(rng, style):
    """(centre x, centre y, width of the view, angle) in the place's pixels at time n."""
    view = WIDTH * rng.uniform(0.8, 2.0)
    x0, y0 = rng.uniform(WIDTH * 1.2, WIDTH * 2.8), rng.uniform(HEIGHT * 1.2, HEIGHT * 2.8)
    angle, shake = rng.uniform(0, 2 * math.pi), rng.uniform(0, 1.2)
    speed = {"static": 0, "handheld": 0.2, "pan": rng.uniform(1, 6), "fast_pan": rng.uniform(10, 28),
             "zoom": 0.3, "fast_zoom": 0.3}[style]
    zoom = {"zoom": rng.uniform(0.994, 1.006), "fast_zoom": rng.choice([0.975, 1.025])}.get(style, 1.0)
    start = rng.integers(0, 30) if style == "fast_pan" else 0
    length = rng.integers(8, 30) if style == "fast_pan" else 10000

    def at(n):
        jitter = 0 if style == "static" else shake
        moved = speed * float(np.clip(n - start, 0, length)) * view / WIDTH
        dx = moved * math.cos(angle) + jitter * (math.sin(n * .37) + math.sin(n * .91))
        dy = moved * math.sin(angle) * .5 + jitter * (math.cos(n * .43) + math.sin(n * 1.1))
        return x0 + dx, y0 + dy, float(np.clip(view * zoom ** n, 60, WIDTH * 6)), 0.02 * jitter * math.sin(n * .2)
    return at


def sprite(rng, fast):
    """A textured thing that crosses the picture."""
    w, h = int(rng.integers(25, 130)), int(rng.integers(25, 130))
    texture = (rng.uniform(0, 255, 3) * fractal_noise(rng, h, w, 0.7)[..., None]).astype(np.float32)
    mask = np.zeros((h, w), np.float32)
    cv2.ellipse(mask, (w // 2, h // 2), (w // 2 - 1, h // 2 - 1), 0, 0, 360, 1, -1, cv2.LINE_AA)
    speed = rng.uniform(10, 26) if fast else rng.uniform(0.3, 5)
    angle, x0, y0 = rng.uniform(0, 2 * math.pi), rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)

    def draw(frame, n):
        span_x, span_y = WIDTH + w, HEIGHT + h
        x = int((x0 + n * speed * math.cos(angle)) % span_x - w)
        y = int((y0 + n * speed * math.sin(angle)) % span_y - h)
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, WIDTH), min(y + h, HEIGHT)
        if right > left and bottom > top:
            part = mask[top - y:bottom - y, left - x:right - x, None]
            area = frame[top:bottom, left:right]
            area += part * (texture[top - y:bottom - y, left - x:right - x] - area)
    return draw


def place_shot(rng, style, known_place=None):
    picture, _ = known_place or place(rng)
    look = camera(rng, style)
    gain, lift = rng.uniform(0.7, 1.15), rng.uniform(-15, 20)
    sprites = [sprite(rng, style == "fast_objects") for _ in range(int(rng.integers(0, 4)))]

    def frame(n):
        x, y, view, angle = look(n)
        scale = WIDTH / view
        cos, sin = scale * math.cos(angle), scale * math.sin(angle)
        matrix = np.array([[cos, -sin, WIDTH / 2 - cos * x + sin * y], [sin, cos, HEIGHT / 2 - sin * x - cos * y]])
        flags = cv2.INTER_LINEAR if scale > 0.7 else cv2.INTER_AREA
        out = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT)
        out = out * gain + lift
        for draw in sprites:
            draw(out, n)
        return out
    return frame


def fast_objects_shot(rng):
    background = place_shot(rng, "static")
    sprites = [sprite(rng, True) for _ in range(int(rng.integers(1, 4)))]

    def frame(n):
        out = background(n)
        for draw in sprites:
            draw(out, n)
        return out
    return frame


def flash(rng, n0, length):
    strength = rng.uniform(80, 300)

    def apply(frame, n):
        return frame + strength * (0.6 ** (n - n0)) if n0 <= n < n0 + length else frame
    return apply


def strobe(rng, n0):
    period, cycles, strength = int(rng.integers(2, 6)), int(rng.integers(4, 12)), rng.uniform(100, 255)

    def apply(frame, n):
        on = n0 <= n < n0 + period * cycles and (n - n0) % period == 0
        return frame + strength if on else frame
    return apply


def explosion(rng, n0):
    x, y = rng.uniform(.2, .8) * WIDTH, rng.uniform(.2, .8) * HEIGHT
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    distance = np.hypot(xx - x, yy - y)
    ragged = fractal_noise(rng, HEIGHT, WIDTH, 0.8) * 80
    colour, duration = np.array([255, 190, 90], np.float32), int(rng.integers(15, 45))

    def apply(frame, n):
        t = n - n0
        if not 0 <= t < duration:
            return frame
        radius = 60 + 40 * t
        fade = max(0.0, 1 - t / duration) ** 1.5
        ball = np.clip((radius - distance + ragged) / 40, 0, 1)[..., None] * fade
        return frame * (1 - ball) + colour * ball + 120 * fade * (t < 4)
    return apply


def light_switch(rng, n0):
    gain = rng.choice([rng.uniform(.35, .6), rng.uniform(1.4, 1.8)])
    return lambda frame, n: frame * gain if n >= n0 else frame


class Recipe:
    def __init__(self, name, fps, *, shots, gradual=0.0, fade=0.0, distract=(), styles=("static", "handheld", "pan", "zoom"),
                 lavfi=0.15, grain=0.0, vfr=False, same_place=0.15, crf=20):
        self.name, self.fps, self.shots, self.gradual, self.fade = name, fps, shots, gradual, fade
        self.distract, self.styles, self.lavfi, self.grain, self.vfr = distract, styles, lavfi, grain, vfr
        self.same_place, self.crf = same_place, crf


MOVING = ("static", "handheld", "pan", "zoom")
RECIPES = [
    Recipe("cuts-25", "25", shots=14),
    Recipe("cuts-film", "24000/1001", shots=14, grain=6),
    Recipe("cuts-60", "60", shots=12),
    Recipe("cuts-vfr", "30", shots=12, vfr=True),
    Recipe("dissolves-25", "25", shots=9, gradual=1.0, fade=0.0),
    Recipe("dissolves-film", "24000/1001", shots=9, gradual=1.0, fade=0.2, grain=6),
    Recipe("dissolves-60", "60", shots=8, gradual=1.0, fade=0.2),
    Recipe("fades-25", "25", shots=9, gradual=1.0, fade=1.0),
    Recipe("mixed-25", "25", shots=14, gradual=0.4, fade=0.3),
    Recipe("mixed-vfr", "30", shots=12, gradual=0.4, fade=0.3, vfr=True),
    Recipe("mixed-heavy-grain", "24000/1001", shots=12, gradual=0.4, fade=0.3, grain=18),
    Recipe("mixed-low-bitrate", "25", shots=12, gradual=0.4, fade=0.3, crf=36),
    Recipe("flashes-25", "25", shots=8, gradual=0.2, distract=("flash", "flash", "strobe")),
    Recipe("flashes-60", "60", shots=7, gradual=0.2, distract=("flash", "flash", "strobe")),
    Recipe("explosions-film", "24000/1001", shots=8, gradual=0.2, distract=("explosion", "light"), grain=4),
    Recipe("action-25", "25", shots=9, gradual=0.2, styles=("fast_pan", "fast_zoom", "fast_objects"), lavfi=0),
    Recipe("camera-60", "60", shots=8, gradual=0.2, styles=("fast_pan", "pan", "zoom", "fast_zoom"), lavfi=0),
]


def make_shot(rng, recipe, previous_place, frames):
    if rng.random() < recipe.lavfi:
        return lavfi_shot(rng, frames), None
    style = recipe.styles[rng.integers(len(recipe.styles))]
    if style == "fast_objects":
        return fast_objects_shot(rng), None
    known = previous_place if previous_place is not None and rng.random() < recipe.same_place else place(rng)
    return place_shot(rng, style, known), known


def add_distractors(rng, recipe, frame, length, margin, log):
    """Effects inside one shot, away from its transitions."""
    effects = []
    for kind in recipe.distract:
        if length < 2 * margin + 70 or rng.random() < 0.3:
            continue
        n0 = int(rng.integers(margin + 8, length - margin - 60))
        effects.append({"flash": lambda: flash(rng, n0, int(rng.integers(1, 4))), "strobe": lambda: strobe(rng, n0),
                        "explosion": lambda: explosion(rng, n0), "light": lambda: light_switch(rng, n0)}[kind]())
        log.append([kind, n0])

    def with_effects(n):
        out = frame(n)
        for effect in effects:
            out = effect(out, n)
        return out
    return with_effects


def plan(rng, recipe):
    """Shots with a transition in front of each: (kind, frames of overlap)."""
    rate = eval(recipe.fps)  # "24000/1001" of the table above
    shots = []
    for i in range(recipe.shots):
        kind, overlap = "cut", 0
        if i > 0 and rng.random() < recipe.gradual:
            kind = "fade" if rng.random() < recipe.fade else "dissolve"
            overlap = int(rng.integers(5, 51))
        length = int(rng.uniform(0.5, 3.2) * rate) if not recipe.distract else int(rng.uniform(1.5, 4.5) * rate)
        shots.append([kind, overlap, length])
    return shots


def mix(kind, old, new, share):
    if kind == "dissolve":
        return old * (1 - share) + new * share
    return old * max(0.0, 1 - 2 * share) + new * max(0.0, 2 * share - 1)


def compose(rng, recipe):
    """Yields the frames; fills the truth while doing so."""
    truth = {"fps": recipe.fps, "vfr": recipe.vfr, "cuts": [], "graduals": [], "distractors": []}
    shots = plan(rng, recipe)
    tail = [shots[i + 1][1] if i + 1 < len(shots) else 0 for i in range(len(shots))]
    frames, position, previous, previous_length, known = [], 0, None, 0, None
    for (kind, overlap, length), after in zip(shots, tail):
        total = overlap + length + after
        base, known = make_shot(rng, recipe, known, total)
        log = []
        shot = add_distractors(rng, recipe, base, total, max(overlap, after), log)
        truth["distractors"] += [[name, position + n] for name, n in log]
        if overlap:
            truth["graduals"].append({"start": position, "end": position + overlap, "kind": kind})
        elif position:
            truth["cuts"].append(position)
        for n in range(overlap):
            frames.append(mix(kind, previous(previous_length + n), shot(n), (n + 1) / (overlap + 1)))
        frames += [shot(overlap + n) for n in range(length)]
        position += overlap + length
        previous, previous_length = shot, overlap + length
    truth["frames"] = len(frames)
    return frames, truth


def encode(path, recipe, frames, rng):
    timing = ["-vf", "setpts='(N+0.35*sin(N*1.7)+0.8*floor(N/40))/(30*TB)'"] if recipe.vfr else []
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r",
               recipe.fps, "-i", "-", *timing, "-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "fast",
               "-crf", str(recipe.crf), "-pix_fmt", "yuv420p", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        for frame in frames:
            if recipe.grain:
                grain = cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH, 1)).astype(np.float32), (3, 3), 0.6)
                frame = frame + 1.6 * recipe.grain * grain[..., None]
            process.stdin.write(np.clip(frame, 0, 255).astype(np.uint8).tobytes())
    if process.returncode:
        sys.exit(f"ffmpeg failed on {path}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    out_dir, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    out_dir.mkdir(parents=True, exist_ok=True)
    for index, recipe in enumerate(RECIPES):
        rng = np.random.default_rng([seed, index])
        frames, truth = compose(rng, recipe)
        encode(out_dir / f"{recipe.name}.mkv", recipe, frames, rng)
        (out_dir / f"{recipe.name}.json").write_text(json.dumps(truth) + "\n")
        print(f"{recipe.name}: {truth['frames']} frames, {len(truth['cuts'])} cuts, {len(truth['graduals'])} graduals")


main()
