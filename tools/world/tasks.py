"""A clip as a conversation: the prompts of the deep stage filled in, and the replies that are right."""
import dataclasses
import json
import pathlib

import cv2
import numpy as np

from . import language
from .drawing import COLOURS, GROUNDS, PATTERNS, SHAPES
from .questions import Facts, question
from .script import write_clip

HELD_OUT = 100_000  # clips with smaller seeds are never trained on
PICTURE_WIDTH, PICTURE_HEIGHT = 320, 192  # what a 16:9 video becomes at 60 tokens a pair of frames
TOKENS_PER_PAIR = (PICTURE_WIDTH // 32) * (PICTURE_HEIGHT // 32)
_PROMPT_FOLDERS = [pathlib.Path(__file__).resolve().parents[k] / "prompts" for k in (1, 2)]
LOOKING = ["captions", "scene", "image", "locate", "question"]
READING = ["chapters", "summary", "story", "highlights"]


def load_prompts():
    folder = next(f for f in _PROMPT_FOLDERS if f.is_dir())
    return {name: (folder / f"{name}.md").read_text().rstrip("\n") for name in LOOKING + READING}


def to_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def caption_lines(captions):
    return "\n".join(f"{c['start']}-{c['end']} {c['text']}" for c in captions)


@dataclasses.dataclass
class View:
    """What of a clip is looked at: neighbouring scenes, as a window that is cut at shots."""
    start: float
    end: float
    scenes: list
    whole: bool


def whole_view(clip):
    return View(0.0, clip.duration, clip.scenes, True)


def some_view(clip, rng):
    """Some scenes of several, cut as precisely as a shot detector cuts: within a frame, or somewhere in a dissolve."""
    first = rng.randrange(len(clip.scenes))
    last = rng.choice([first, first, rng.randrange(first, len(clip.scenes))])
    if last - first + 1 == len(clip.scenes):
        return whole_view(clip)

    def edge(i):
        if i in (0, len(clip.scenes)):
            return 0.0 if i == 0 else clip.duration
        half = clip.transitions[i - 1] / 2
        return clip.scenes[i].start + (rng.uniform(-half, half) if half else rng.choice([0.0, 0.0, 0.04]))
    return View(edge(first), edge(last + 1), clip.scenes[first:last + 1], False)


def known_facts(clip, offset, rng, captions=None, text_chance=0.75, object_chance=0.4, view=None, noise=False):
    """The lines of {{facts}}; stages may be missing, as they may be in the product, and with `noise` a little wrong."""
    lines, view = [], view or whole_view(clip)

    def shaken():
        return rng.choice([-0.2, -0.1, 0.0, 0.0, 0.1, 0.2]) if noise else 0.0
    if rng.random() < text_chance:
        texts = [t for t in clip.texts if t.start < view.end and t.end > view.start]
        lines += [f"Text {language.seconds(max(0.0, max(t.start, view.start) + shaken()) + offset)}-"
                  f"{language.seconds(min(t.end, view.end) + shaken() + offset)}: {json.dumps(t.words)}" for t in texts]
    if rng.random() < object_chance:
        names = {n for s in view.scenes for t in np.arange(s.start + 0.25, s.end, 1.0) for n, _ in clip.boxes(t)}
        if noise and names and rng.random() < 0.2:
            names.discard(rng.choice(sorted(names)))
        if noise and rng.random() < 0.2:
            names.add(f"{rng.choice(sorted(COLOURS))} {rng.choice(SHAPES)}")
        if names:
            lines.append("Objects: " + ", ".join(sorted(names)))
    if captions:
        lines += [f"Caption {c['start']}-{c['end']}: {c['text']}" for c in captions]
    return "\n".join(lines) or "none"


_KINDS_OF_WORDS = [sorted(COLOURS), SHAPES, ["left", "right", "up", "down"], sorted(GROUNDS), PATTERNS]


def mistaken(captions, rng):
    """Captions as a model may have written them: now and then one is missing or names something else."""
    rows = []
    for row in captions:
        if rng.random() < 0.88:
            rows.append(row)
        elif rng.random() < 0.7:
            words = row["text"].split(" ")
            at = [(i, kind) for i, w in enumerate(words) for kind in _KINDS_OF_WORDS if w.strip(".,") in kind]
            if at:
                i, kind = rng.choice(at)
                words[i] = words[i].replace(words[i].strip(".,"), rng.choice(kind))
            rows.append(row | {"text": " ".join(words)})
    return rows


def view_times(view, rng=None):
    """Times of the frames of a view: two a second from its start, as the program takes them."""
    if view.whole:
        return frame_times(view.end, rng)
    times = view.start + np.arange(0, max(view.end - view.start, 2.0) - 1e-6, 0.5)
    times = np.minimum(times, view.end - 0.04)
    return np.append(times, times[-1]) if len(times) % 2 else times


def frame_times(duration, rng=None, fps=2.0, video_fps=25):
    """Times of the frames that are shown: as transformers samples them, or on a grid of half seconds."""
    if rng is not None and rng.random() < 0.5:
        times = np.arange(0, max(duration, 2.0) - 1e-6, 1 / fps)
        times = np.minimum(times, duration - 1 / video_fps)
    else:
        total = round(duration * video_fps)
        count = min(max(int(total / video_fps * fps), 4), total)
        times = np.round(np.linspace(0, total - 1, count)) / video_fps
    return np.append(times, times[-1]) if len(times) % 2 else times


def look(clip, times, rng=None):
    """Pictures [n, height, width, 3] at times; with rng now and then compressed or lighter, as videos are."""
    frames = np.stack([clip.frame(t, PICTURE_WIDTH, PICTURE_HEIGHT) for t in times])
    if rng is None:
        return frames
    if rng.random() < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, rng.randint(50, 95)]
        frames = np.stack([cv2.imdecode(cv2.imencode(".jpg", f, quality)[1], 1) for f in frames])
    elif rng.random() < 0.3:
        frames = np.clip(frames.astype(np.int16) + rng.randint(-12, 12), 0, 255).astype(np.uint8)
    return frames


class Tasks:
    """Fills prompts; `tokenizer` may be None where only texts are needed."""

    def __init__(self, tokenizer):
        self.prompts, self.tokenizer = load_prompts(), tokenizer

    def fill(self, name, **values):
        text = self.prompts[name].replace("{{language}}", "English")
        for key, value in values.items():
            text = text.replace("{{" + key + "}}", str(value))
        return text

    # -- (prompt, reply) pairs ----------------------------------------------------------------------------------
    def captions(self, clip, rng, offset=0.0, view=None):
        view = view or whole_view(clip)
        return (self.fill("captions", facts=known_facts(clip, offset, rng, view=view, noise=True)),
                to_json({"captions": language.captions(clip, offset, view.scenes)}))

    def scene(self, clip, rng, offset=0.0):
        return self.fill("scene", facts=known_facts(clip, offset, rng)), to_json(language.describe_scene(clip, 0))

    def ask(self, clip, facts, rng, offset=0.0, caption_chance=0.6, view=None):
        """A question about the whole clip; what a view does not show is to be read in the captions of the whole."""
        view = view or whole_view(clip)
        q = question(facts, rng, offset)
        while not view.whole and q.topic == "where" and not view.start <= q.evidence[0][0] < view.end - 0.5:
            q = question(facts, rng, offset)
        captions = None
        if not view.whole or rng.random() < caption_chance:
            captions = language.captions(clip, offset)
            if view.whole and rng.random() < 0.3:
                captions = mistaken(captions, rng)
        known = known_facts(clip, offset, rng, captions, view=view, noise=True)
        return self.fill("question", facts=known, question=q.text), to_json(q.reply(offset)), q

    def ask_in_parts(self, clip, facts, rng, offset=0.0, opening=None, view=None):
        """ask() as (start of the prompt, rest of it, reply): questions with one start can share it."""
        prompt, reply, q = self.ask(clip, facts, rng, offset, view=view)
        at = prompt.index("Question: " + q.text)
        return opening or prompt[:at], prompt[at:], reply

    def read(self, name, clip, offset=0.0):
        lines = caption_lines(language.captions(clip, offset))
        if name == "chapters":
            prompt = self.fill(name, captions=lines, start=language.seconds(offset),
                               end=language.seconds(clip.duration + offset))
            return prompt, to_json(language.chapters(clip, offset))
        if name == "summary":
            return self.fill(name, captions=lines), to_json(language.summary(clip))
        return self.fill(name, captions=lines), to_json(getattr(language, name)(clip, offset))

    # -- one picture --------------------------------------------------------------------------------------------
    def picture(self, clip, t, rng):
        """[(prompt, reply)] about the picture at t."""
        boxes = sorted(clip.boxes(t), key=lambda b: b[1][0])
        shapes = [name for name, _ in boxes if name != "wall"]
        things = [language.a_name(n) for n in shapes] + (["a wall"] if len(shapes) < len(boxes) else [])
        scene = next(s for s in reversed(clip.scenes) if s.start <= t + 1e-6)
        ground = f"a {scene.pattern} {scene.ground} background"
        joined = things[0] if len(things) == 1 else ", ".join(things[:-1]) + " and " + things[-1] if things else ""
        told = f"{joined[0].upper()}{joined[1:]} on {ground}." if things else f"An empty scene with {ground}."
        texts = [x for x in clip.texts if x.start <= t < x.end]
        told += "".join(f' The text "{x.words}" is shown.' for x in texts)
        facts = "\n".join(f"Text: {json.dumps(x.words)}" for x in texts) if rng.random() < 0.5 else ""
        rows = [(self.fill("image", facts=facts or "none"),
                 to_json({"title": language.actors_title(shapes), "description": told}))]
        found = [{"bbox_2d": [round(1000 * v) for v in box], "label": name} for name, box in boxes]
        rows.append((self.fill("locate", target="everything"), to_json(found)))
        name = rng.choice(boxes)[0] if boxes and rng.random() < 0.7 else f"{rng.choice(['red', 'blue', 'green'])} star"
        rows.append((self.fill("locate", target=f"the {name}"), to_json([f for f in found if f["label"] == name])))
        return rows

    def texts(self, seed, rng):
        """Every kind of text of one clip, for the vocabulary."""
        clip = write_clip(HELD_OUT + seed)
        facts = Facts(clip)
        pairs = [self.captions(clip, rng), self.scene(clip, rng)] + [self.ask(clip, facts, rng)[:2] for _ in range(4)]
        pairs += [self.read(name, clip) for name in READING] + self.picture(clip, clip.duration / 2, rng)
        for prompt, reply in pairs:
            yield prompt
            yield reply
        yield "user\nassistant\nsystem\n<1.3 seconds>"


def timed_prefix(times):
    """Texts before each pair of frames."""
    return [f"<{(a + b) / 2:.1f} seconds>" for a, b in zip(times[0::2], times[1::2])]
