"""Strings that try a tokenizer: every plane of Unicode, scripts mixed, code, white space, lone marks."""

import random
import sys
import unicodedata

SCRIPTS = [(0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x5FF), (0x600, 0x6FF),
           (0x900, 0x97F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
           (0x300, 0x36F), (0x1F300, 0x1FAFF), (0x2000, 0x206F), (0xFE00, 0xFE0F), (0x1F1E6, 0x1F1FF), (0x30, 0x39)]
WHITE = [" ", "  ", "\t", "\n", "\r\n", "\r", "\n\n", "\u3000", "\xa0", "\x85", "\u2028", "\x0b", "\x0c", "   "]
WORDS = ["the", "Video", "frame", "shows", "a", "person's", "it'S", "we'RE", "they'll", "I'd", "you'VE", "I'M", "can't",
         "'\u017f", "x'\u017fy", "1234", "3.14", "don't", "naïve", "Привет", "мир", "世界", "こんにちは", "안녕", "שלום",
         "مرحبا", "नमस्ते", "สวัสดี", "👨‍👩‍👧", "e\u0301", "A\u030a", "\u1100\u1161\u11a8", "²", "Ⅷ", "½",
         "<|im_end|>", "<|image_pad|>", "<think>", "</tool_call>", "<3.5 seconds>"]
CODE = ["for (int i = 0; i < n; ++i) {\n  sum += a[i];\n}\n", "def f(x):\n\treturn x**2  # ok\n", "{\"k\": [1, 2]}",
        "#include <vector>\r\n", "SELECT * FROM t WHERE a != 'b';", "https://example.org/a?b=c&d=%20", "a->b::c()",
        "\\begin{equation}", "==========", "----\n\n----", "....!!!???\n"]


def code_point(rng):
    """Any scalar value whose normalisation is the same in the libraries of both sides (Unicode 14)."""
    while True:
        code = rng.randrange(0x110000)
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def assigned(rng):
    while True:
        c = chr(rng.randrange(0x20000))
        if unicodedata.category(c) not in ("Cn", "Cs"):
            return c


def piece(rng):
    kind = rng.randrange(9)
    if kind == 0:
        return code_point(rng)
    if kind == 1:
        return assigned(rng)
    if kind == 2:
        first, last = rng.choice(SCRIPTS)
        return "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 6)))
    if kind in (3, 4):
        return rng.choice(WHITE)
    if kind == 5:
        return rng.choice(CODE)
    if kind == 6:
        return chr(rng.randint(32, 126)) * rng.randint(1, 4)
    return rng.choice(WORDS)


def strings(count, seed=20261123, longest=14):
    rng = random.Random(seed)
    return ["".join(piece(rng) for _ in range(rng.randint(1, longest))) for _ in range(count)]


def corpus():
    """What the small tokenizer is trained on: words and code, repeated in a fixed order."""
    rng = random.Random(7)
    text = sys.modules[__name__].__doc__ + " ".join(WORDS) + "".join(CODE)
    words = (text + " seconds describe what happens in this video and picture one two three user assistant system "
             "tool function name arguments call You may Tools following").split()
    return [" ".join(rng.choice(words) for _ in range(12)) for _ in range(3000)]
