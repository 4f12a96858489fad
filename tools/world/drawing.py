"""How the world looks: shapes, colours, backgrounds, the wall and words, drawn at any picture size."""
import functools
import math
import pathlib

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 320, 180  # the world's units; pictures of any size show all of it

SHAPES = ["circle", "square", "triangle", "star", "heart", "cross", "diamond", "ring"]
COLOURS = {  # RGB
    "red": (224, 36, 36), "orange": (250, 140, 20), "yellow": (250, 225, 40), "green": (40, 170, 60),
    "blue": (40, 90, 235), "purple": (140, 50, 190), "pink": (250, 130, 190), "white": (245, 245, 245),
}
GROUNDS = {
    "black": (22, 22, 24), "grey": (128, 130, 132), "brown": (104, 74, 48), "navy": (24, 34, 78),
    "teal": (40, 104, 108), "beige": (206, 190, 158),
}
PATTERNS = ["plain", "striped", "dotted"]
OUTLINE = (12, 12, 14)


def _polygon(corners, inner=None, turn=-90.0):
    """Corners on the unit circle; with `inner`, every second one on a circle of that radius."""
    points = []
    count = corners * (2 if inner else 1)
    for i in range(count):
        radius = inner if inner and i % 2 else 1.0
        angle = math.radians(turn + 360.0 * i / count)
        points.append((radius * math.cos(angle), radius * math.sin(angle)))
    return np.array(points)


def _heart():
    t = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([x / 16.5, (y + 2.5) / 15.5], axis=1)


def _cross(arm=0.36):
    a, b = arm, 0.95
    return np.array([(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a),
                     (-a, -a)])


_CONTOURS = {  # unit outlines; a ring has a hole
    "circle": [_polygon(32)], "square": [_polygon(4, turn=45) * 1.18], "triangle": [_polygon(3) * 1.12 + (0, 0.2)],
    "star": [_polygon(5, inner=0.45) * 1.1], "heart": [_heart()], "cross": [_cross()],
    "diamond": [_polygon(4) * (0.78, 1.1)], "ring": [_polygon(32), _polygon(32) * 0.52],
}
_EXTENT = {name: (c[0].min(axis=0), c[0].max(axis=0)) for name, c in _CONTOURS.items()}


def shape_box(shape, x, y, radius):
    """[x0, y0, x1, y1] in world units of a shape drawn at (x, y)."""
    low, high = _EXTENT[shape]
    return [x + radius * low[0], y + radius * low[1], x + radius * high[0], y + radius * high[1]]


def draw_shape(picture, shape, colour, x, y, radius):
    """Draws on an RGB picture; `colour` is an RGB triple."""
    scale = np.array([picture.shape[1] / WIDTH, picture.shape[0] / HEIGHT])
    contours = [np.round((np.array([x, y]) + c * radius) * scale * 16).astype(np.int32) for c in _CONTOURS[shape]]
    cv2.fillPoly(picture, contours, colour, lineType=cv2.LINE_AA, shift=4)
    thickness = max(1, round(1.2 * scale[0]))
    cv2.polylines(picture, contours, True, OUTLINE, thickness=thickness, lineType=cv2.LINE_AA, shift=4)


def draw_wall(picture, box):
    """A wall of bricks over `box` (world units)."""
    sx, sy = picture.shape[1] / WIDTH, picture.shape[0] / HEIGHT
    x0, y0, x1, y1 = round(box[0] * sx), round(box[1] * sy), round(box[2] * sx), round(box[3] * sy)
    cv2.rectangle(picture, (x0, y0), (x1, y1), (150, 96, 78), -1)
    joint, row_height = (94, 66, 58), 12 * sy
    for row in range(int((y1 - y0) / row_height) + 1):
        y = round(y0 + row * row_height)
        cv2.line(picture, (x0, y), (x1, y), joint, 1)
        offset = (row % 2) * 10 * sx
        for brick in range(4):
            x = round(x0 + offset + brick * 20 * sx)
            if x0 <= x <= x1:
                cv2.line(picture, (x, y), (x, min(y1, round(y + row_height))), joint, 1)
    cv2.rectangle(picture, (x0, y0), (x1, y1), OUTLINE, max(1, round(1.2 * sx)))


@functools.lru_cache(maxsize=64)
def background(ground, pattern, width, height):
    """The RGB picture behind a scene. Shared: copy before drawing."""
    base = np.array(GROUNDS[ground], dtype=np.float32)
    picture = np.empty((height, width, 3), dtype=np.float32)
    picture[:] = base
    shade = base + (18 if base.mean() < 150 else -18)
    columns = (np.arange(width) + 0.5) * WIDTH / width
    rows = (np.arange(height) + 0.5) * HEIGHT / height
    if pattern == "striped":
        picture[:, (columns % 32) < 16] = shade
    elif pattern == "dotted":
        distance = np.hypot((columns % 20 - 10)[None, :], (rows % 20 - 10)[:, None])
        picture[distance < 4.5] = shade
    return np.clip(picture, 0, 255).astype(np.uint8)


@functools.lru_cache(maxsize=1)
def _font_file():
    for path in ("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",):
        if pathlib.Path(path).exists():
            return path
    import matplotlib  # carries the same font
    return str(pathlib.Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans-Bold.ttf")


@functools.lru_cache(maxsize=4096)
def _word_mask(text, size, stretch):
    font = ImageFont.truetype(_font_file(), size)
    left, top, right, bottom = font.getbbox(text)
    mask = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(mask).text((2 - left, 2 - top), text, fill=255, font=font)
    mask = np.asarray(mask)
    if abs(stretch - 1) > 0.01:
        mask = cv2.resize(mask, (mask.shape[1], round(mask.shape[0] * stretch)), interpolation=cv2.INTER_AREA)
    return mask


def text_box(text, x, y, size):
    """Box of a text centred at (x, y), world units."""
    mask = _word_mask(text, round(size * 4), 1.0)
    return [x - mask.shape[1] / 8, y - mask.shape[0] / 8, x + mask.shape[1] / 8, y + mask.shape[0] / 8]


def draw_text(picture, text, x, y, size):
    """White letters on a dark band, centred at (x, y)."""
    sx, sy = picture.shape[1] / WIDTH, picture.shape[0] / HEIGHT
    mask = _word_mask(text, round(size * sx), round(sy / sx, 2))
    h, w = mask.shape
    x0, y0 = round(x * sx - w / 2), round(y * sy - h / 2)
    pad_x, pad_y = round(4 * sx), round(3 * sy)
    cv2.rectangle(picture, (x0 - pad_x, y0 - pad_y), (x0 + w + pad_x, y0 + h + pad_y), (8, 8, 10), -1)
    x1, y1 = max(0, x0), max(0, y0)
    x2, y2 = min(picture.shape[1], x0 + w), min(picture.shape[0], y0 + h)
    if x1 >= x2 or y1 >= y2:
        return
    alpha = mask[y1 - y0:y2 - y0, x1 - x0:x2 - x0, None].astype(np.uint16)
    part = picture[y1:y2, x1:x2]
    part[:] = ((part * (255 - alpha) + 250 * alpha) // 255).astype(np.uint8)
