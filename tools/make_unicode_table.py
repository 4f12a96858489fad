"""Writes src/tokenizer/unicode_ranges.inc: the letters, numbers and marks the `tokenizers` package knows.

The package reads the split pattern with a newer Unicode version than most systems' libraries have, and
normalises with an older one. Run again when the package moves to another version:

    python tools/make_unicode_table.py src/tokenizer/unicode_ranges.inc
"""

import sys

from tokenizers import Regex, normalizers, pre_tokenizers


SCALARS = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]


def members(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "removed")
    return [code for code in SCALARS if not split.pre_tokenize_str(chr(code))]


def combining_marks():
    """Characters of a combining class: they change places with a mark of a higher or lower class, or compose."""
    nfc = normalizers.NFC().normalize_str
    low, high = "\u0334", "\u0345"  # classes 1 and 240
    return [c for c in SCALARS if nfc(chr(c) + low) != chr(c) + low or nfc(high + chr(c)) != high + chr(c)
            or chr(c) in (low, high)]


def ranges(codes):
    result = []
    for code in codes:
        if result and result[-1][1] == code - 1:
            result[-1][1] = code
        else:
            result.append([code, code])
    return result


def table(name, codes):
    entries = [f"{{0x{first:X}, 0x{last:X}}}" for first, last in ranges(codes)]
    lines = [", ".join(entries[i:i + 5]) for i in range(0, len(entries), 5)]
    return f"constexpr Range {name}[] = {{\n    " + ",\n    ".join(lines) + "};\n"


def main():
    text = "// Made by tools/make_unicode_table.py from the tokenizers package.\n"
    text += table("kLetters", members(r"\p{L}")) + table("kNumbers", members(r"\p{N}"))
    text += table("kMarks", combining_marks())
    with open(sys.argv[1], "w") as out:
        out.write(text)


if __name__ == "__main__":
    main()
