"""Clips of the world: who is where at which time, what happens, and what each moment looks like."""
import bisect
import dataclasses

import cv2
import numpy as np

from . import drawing
from .drawing import COLOURS, HEIGHT, WIDTH


@dataclasses.dataclass
class Event:
    """Something that happens; `subject` and `other` are names as they were when it began ("red circle")."""
    kind: str
    start: float
    end: float
    subject: str = ""
    other: str = ""
    detail: str = ""  # direction, new colour or text
    beat: str = ""    # its part in a story, empty outside one


class Actor:
    """A shape with a piecewise linear path, steps of colour and times of presence."""

    def __init__(self, shape, colour, x, y, radius, depth):
        self.shape, self.depth = shape, depth
        self.path = [(-1.0, x, y, radius)]
        self.colours = [(-1.0, colour)]
        self.presence = []  # [start, end)

    def key(self, t, x=None, y=None, radius=None):
        """Holds the last state until then goes linearly to the next key."""
        _, x0, y0, r0 = self.path[-1]
        self.path.append((t, x0 if x is None else x, y0 if y is None else y, r0 if radius is None else radius))

    def hold(self, t):
        if self.path[-1][0] < t:
            self.key(t)

    @property
    def last(self):
        return self.path[-1][1:]

    def colour_name(self, t):
        return [name for start, name in self.colours if start <= t + 1e-6][-1]

    def name(self, t):
        return f"{self.colour_name(t)} {self.shape}"

    def present(self, t):
        return any(start - 1e-6 <= t < end - 1e-6 for start, end in self.presence)

    def state(self, t):
        """(x, y, radius) at t."""
        i = bisect.bisect_right(self.path, (t, 1e9))
        if i >= len(self.path):
            return self.path[-1][1:]
        t0, *a = self.path[i - 1]
        t1, *b = self.path[i]
        f = 0.0 if t1 <= t0 else (t - t0) / (t1 - t0)
        return tuple(p + f * (q - p) for p, q in zip(a, b))

    def rgb(self, t):
        """Colour with half a second of cross-fade after a change."""
        before = COLOURS[self.colours[0][1]]
        for start, name in self.colours:
            f = min(1.0, max(0.0, (t - start) / 0.5))
            before = tuple(p + f * (q - p) for p, q in zip(before, COLOURS[name]))
        return before


@dataclasses.dataclass
class Text:
    words: str
    start: float
    end: float
    x: float
    y: float
    size: float


@dataclasses.dataclass
class Scene:
    start: float
    end: float
    ground: str
    pattern: str
    actors: list
    wall: list | None = None  # box in world units, in front of the actors
    opening: str = ""         # the sentence that describes how it begins


@dataclasses.dataclass
class Clip:
    seed: int
    duration: float
    scenes: list
    transitions: list  # between scenes: seconds of dissolve, 0 for a cut
    texts: list
    events: list       # sorted by start
    story: str = ""    # name of the story's plan, empty when there is none

    def _draw_scene(self, scene, t, width, height):
        picture = drawing.background(scene.ground, scene.pattern, width, height).copy()
        for actor in sorted(scene.actors, key=lambda a: a.depth):
            if actor.present(t):
                x, y, radius = actor.state(t)
                drawing.draw_shape(picture, actor.shape, actor.rgb(t), x, y, radius)
        if scene.wall:
            drawing.draw_wall(picture, scene.wall)
        return picture

    def frame(self, t, width, height):
        """The RGB picture at time t."""
        i = max(0, bisect.bisect_right([s.start for s in self.scenes], t + 1e-6) - 1)
        picture = self._draw_scene(self.scenes[i], t, width, height)
        for other, boundary, seconds in self._dissolves(i):
            if abs(t - boundary) < seconds / 2:
                share = 0.5 - abs(t - boundary) / seconds
                picture = cv2.addWeighted(picture, 1 - share, self._draw_scene(self.scenes[other], t, width, height),
                                          share, 0)
        for text in self.texts:
            if text.start - 1e-6 <= t < text.end - 1e-6:
                drawing.draw_text(picture, text.words, text.x, text.y, text.size)
        return picture

    def _dissolves(self, i):
        if i > 0 and self.transitions[i - 1] > 0:
            yield i - 1, self.scenes[i].start, self.transitions[i - 1]
        if i + 1 < len(self.scenes) and self.transitions[i] > 0:
            yield i + 1, self.scenes[i + 1].start, self.transitions[i]

    def boxes(self, t):
        """[(name, [x0, y0, x1, y1] in 0..1)] of what is visible at t: off-screen or hidden shapes are left out."""
        scene = self.scenes[max(0, bisect.bisect_right([s.start for s in self.scenes], t + 1e-6) - 1)]
        found = []
        for actor in scene.actors:
            if not actor.present(t):
                continue
            whole = drawing.shape_box(actor.shape, *actor.state(t))
            seen = _clip_box(whole, scene.wall)
            if seen and _area(seen) >= 0.35 * _area(whole):
                found.append((actor.name(t), [seen[0] / WIDTH, seen[1] / HEIGHT, seen[2] / WIDTH, seen[3] / HEIGHT]))
        if scene.wall:
            w = scene.wall
            found.append(("wall", [w[0] / WIDTH, w[1] / HEIGHT, w[2] / WIDTH, w[3] / HEIGHT]))
        return found

    def in_dissolve(self, t):
        return any(seconds and abs(t - scene.start) < seconds / 2
                   for scene, seconds in zip(self.scenes[1:], self.transitions))


def _area(box):
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _clip_box(box, wall):
    """The part of a box inside the picture and beside the wall (which covers whole columns of a shape)."""
    x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(WIDTH, box[2]), min(HEIGHT, box[3])
    if wall and y0 >= wall[1] - 2 and y1 <= wall[3] + 2:
        if x0 >= wall[0] and x1 <= wall[2]:
            return None
        if wall[0] < x1 <= wall[2]:
            x1 = wall[0]
        elif wall[0] <= x0 < wall[2]:
            x0 = wall[2]
    return [x0, y0, x1, y1] if x1 > x0 and y1 > y0 else None


def sample_times(duration, start=0.0, fps=2.0, jitter=0.0):
    """Times of `fps` frames a second over a clip, first and last frame included, an even number of them."""
    count = max(4, 2 * round(duration * fps / 2))
    return np.linspace(start + jitter, start + duration - 1.0 / 25, count)
